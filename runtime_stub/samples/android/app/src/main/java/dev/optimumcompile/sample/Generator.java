package dev.optimumcompile.sample;

/** A model on a device. One thread at a time; close it when it is no longer needed. */
public final class Generator implements AutoCloseable {
  /** Gets each new token; false stops. */
  public interface Listener {
    boolean onToken(long id);
  }

  static {
    System.loadLibrary("generator");
  }

  private long handle;

  /**
   * @param path of an .ocm file, which is mapped: it has to stay as it is.
   * @param device "cpu" or "vulkan".
   * @throws IllegalStateException with the reason, as a device without Vulkan has one.
   */
  public Generator(String path, String device) {
    handle = open(path, device);
  }

  /** Forgets what came before, takes the prompt, and tells the listener up to `most` tokens. */
  public void generate(long[] prompt, long most, long[] stops, Listener listener) {
    generate(live(), prompt, most, stops, listener);
  }

  /** The device as its driver calls it. */
  public String device() {
    return device(live());
  }

  /** Tokens a second of the last call, those of the prompt included. */
  public double speed() {
    return speed(live());
  }

  @Override
  public void close() {
    final long closing = handle;
    handle = 0;
    if (closing != 0) close(closing);
  }

  private long live() {
    if (handle == 0) throw new IllegalStateException("the generator is closed");
    return handle;
  }

  private static native long open(String path, String device);

  private static native void close(long handle);

  private static native String device(long handle);

  private static native double speed(long handle);

  private static native void generate(
      long handle, long[] prompt, long most, long[] stops, Listener listener);
}
