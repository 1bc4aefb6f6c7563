import SwiftUI

@main
struct SampleApp: App {
  var body: some Scene {
    WindowGroup { ContentView() }
  }
}

/// Token ids in, a device, a button, and the tokens as they come.
struct ContentView: View {
  @StateObject private var run = Run()
  @State private var prompt = "1,2,3"
  @State private var device = Generator.Device.metal

  var body: some View {
    VStack(spacing: 16) {
      TextField("Token ids with commas between", text: $prompt)
        .textFieldStyle(.roundedBorder)
      Picker("Device", selection: $device) {
        ForEach(Generator.Device.allCases) { Text($0.rawValue).tag($0) }
      }
      .pickerStyle(.segmented)
      Button(run.isRunning ? "Stop" : "Generate") {
        run.isRunning ? run.stop() : run.start(prompt: prompt, on: device)
      }
      .buttonStyle(.borderedProminent)
      ScrollView { Text(run.output).textSelection(.enabled).frame(maxWidth: .infinity, alignment: .leading) }
    }
    .padding()
  }
}

/// One generation at a time, on a queue of its own.
@MainActor
final class Run: ObservableObject {
  @Published private(set) var output = ""
  @Published private(set) var isRunning = false
  private let worker = Worker()

  func start(prompt: String, on device: Generator.Device) {
    let words = prompt.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    let ids = words.compactMap { Int64($0) }
    guard !ids.isEmpty, ids.count == words.count else {
      output = "Token ids with commas between, as 1,2,3"
      return
    }
    guard let path = Bundle.main.path(forResource: "model", ofType: "ocm") else {
      output = "The app has no model.ocm"
      return
    }
    output = ""
    isRunning = true
    worker.run(path: path, ids: ids, on: device) { text in
      Task { @MainActor in self.output += text }
    } done: {
      Task { @MainActor in self.isRunning = false }
    }
  }

  func stop() { worker.stop() }
}

/// Keeps the generator between prompts; everything but `stop` happens on its queue.
private final class Worker: @unchecked Sendable {
  private let queue = DispatchQueue(label: "generator", qos: .userInitiated)
  private let lock = NSLock()
  private var stopped = false
  private var generator: Generator?
  private var device: Generator.Device?

  func run(
    path: String, ids: [Int64], on wanted: Generator.Device,
    show: @escaping @Sendable (String) -> Void, done: @escaping @Sendable () -> Void
  ) {
    set(stopped: false)
    queue.async { [self] in
      defer { done() }
      do {
        if generator == nil || device != wanted {
          generator = nil
          generator = try Generator(path: path, on: wanted)
          device = wanted
        }
        guard let generator else { return }
        show("\(generator.deviceName)\n")
        try generator.generate(prompt: ids, most: 64) { token in
          show("\(token) ")
          return !isStopped
        }
        show(String(format: "\n%.1f tokens a second\n", generator.speed))
      } catch {
        show("\n\(error.localizedDescription)\n")
      }
    }
  }

  func stop() { set(stopped: true) }

  private var isStopped: Bool {
    lock.lock()
    defer { lock.unlock() }
    return stopped
  }

  private func set(stopped value: Bool) {
    lock.lock()
    defer { lock.unlock() }
    stopped = value
  }
}
