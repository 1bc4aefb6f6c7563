import Foundation
import OptimumCompile

/// Why a call of the runtime failed, with its numbers.
struct RuntimeError: LocalizedError {
  let errorDescription: String?

  init(_ status: oc_status) {
    errorDescription =
      "\(String(cString: oc_status_text(status))): \(String(cString: oc_last_error()))"
  }
}

/// A model on a device, and the likeliest continuation of a prompt, token by token. One thread at a time.
final class Generator {
  enum Device: String, CaseIterable, Identifiable {
    case metal, cpu
    var id: String { rawValue }
    var kind: oc_device_kind { self == .metal ? OC_DEVICE_METAL : OC_DEVICE_CPU }
  }

  private var model: OpaquePointer?
  private var device: OpaquePointer?
  private var session: OpaquePointer?
  let info: oc_info
  let deviceName: String

  /// `path` is mapped: the file has to stay as it is.
  init(path: String, on wanted: Device) throws {
    var model: OpaquePointer?
    var device: OpaquePointer?
    var session: OpaquePointer?
    var info = oc_info()
    do {
      try Self.check(oc_model_open(path, nil, &model))
      try Self.check(oc_model_info(model, &info))
      // Low priority: the phone goes on drawing while a prompt is taken in.
      try Self.check(oc_device_open(wanted.kind, -1, UInt32(OC_DEVICE_LOW_PRIORITY), &device))
      try Self.check(oc_session_create_on(model, device, &session))
    } catch {
      oc_session_destroy(session)
      oc_device_close(device)
      oc_model_close(model)
      throw error
    }
    self.model = model
    self.device = device
    self.session = session
    self.info = info
    var told = oc_device_description()
    let known = oc_device_describe(device, &told) == OC_OK
    deviceName = known ? Self.text(told.name) : wanted.rawValue
  }

  deinit {
    oc_session_destroy(session)
    oc_device_close(device)
    oc_model_close(model)
  }

  /// Forgets what came before, takes the prompt and makes up to `most` tokens; `onToken` returns false to stop.
  func generate(prompt: [Int64], most: Int, stops: Set<Int64> = [], onToken: (Int64) -> Bool) throws {
    try Self.check(oc_session_reset(session))
    try Self.check(oc_session_clear_stats(session))
    var next = prompt
    for _ in 0..<most {
      // The logits stay on the device; only the likeliest id comes back.
      try Self.check(oc_session_run(session, next, Int64(next.count), OC_LOGITS_KEEP, nil, 0))
      var token: Int64 = 0
      try Self.check(oc_session_top(session, 1, &token, nil))
      var past: Int64 = 0
      try Self.check(oc_session_past(session, &past))
      if !onToken(token) || stops.contains(token) || past >= info.context { return }
      next = [token]
    }
  }

  /// Tokens a second of the last call, those of the prompt included.
  var speed: Double {
    var stats = oc_stats()
    guard oc_session_stats(session, &stats) == OC_OK, stats.total_ns > 0 else { return 0 }
    return 1e9 * Double(stats.tokens) / Double(stats.total_ns)
  }

  private static func check(_ status: oc_status) throws {
    if status != OC_OK { throw RuntimeError(status) }
  }

  /// A C array of characters, which Swift sees as a tuple.
  private static func text<T>(_ characters: T) -> String {
    withUnsafeBytes(of: characters) { bytes in
      String(decoding: bytes.prefix(while: { $0 != 0 }), as: UTF8.self)
    }
  }
}
