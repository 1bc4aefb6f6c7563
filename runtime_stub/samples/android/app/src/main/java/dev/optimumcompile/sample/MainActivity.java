package dev.optimumcompile.sample;

import android.app.Activity;
import android.os.Bundle;
import android.text.InputType;
import android.widget.ArrayAdapter;
import android.widget.Button;
import android.widget.EditText;
import android.widget.LinearLayout;
import android.widget.ScrollView;
import android.widget.Spinner;
import android.widget.TextView;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Token ids in, a device, a button, and the tokens as they come. */
public final class MainActivity extends Activity {
  private static final String MODEL = "model.ocm";
  private static final int MOST = 64;

  private final ExecutorService worker = Executors.newSingleThreadExecutor();
  private Generator generator;
  private String opened = "";
  private EditText prompt;
  private Spinner device;
  private TextView output;
  private volatile boolean stopped;

  @Override
  protected void onCreate(Bundle state) {
    super.onCreate(state);
    prompt = new EditText(this);
    prompt.setInputType(InputType.TYPE_CLASS_TEXT);
    prompt.setText("1,2,3");
    device = new Spinner(this);
    device.setAdapter(
        new ArrayAdapter<>(
            this, android.R.layout.simple_spinner_dropdown_item, new String[] {"vulkan", "cpu"}));
    final Button button = new Button(this);
    button.setText("Generate");
    button.setOnClickListener(view -> start());
    output = new TextView(this);
    output.setTextIsSelectable(true);
    final ScrollView scroll = new ScrollView(this);
    scroll.addView(output);
    final LinearLayout column = new LinearLayout(this);
    column.setOrientation(LinearLayout.VERTICAL);
    column.setFitsSystemWindows(true);
    column.addView(prompt);
    column.addView(device);
    column.addView(button);
    column.addView(scroll);
    setContentView(column);
  }

  @Override
  protected void onDestroy() {
    stopped = true;
    worker.execute(this::closeGenerator);
    worker.shutdown();
    super.onDestroy();
  }

  private void start() {
    final String wanted = device.getSelectedItem().toString();
    final long[] ids;
    try {
      ids = parse(prompt.getText().toString());
    } catch (NumberFormatException error) {
      output.setText("Token ids with commas between, as 1,2,3");
      return;
    }
    output.setText("");
    worker.execute(() -> run(wanted, ids));
  }

  private void run(String wanted, long[] ids) {
    try {
      if (!wanted.equals(opened)) {
        closeGenerator();
        generator = new Generator(model().getPath(), wanted);
        opened = wanted;
        show(generator.device() + "\n");
      }
      generator.generate(
          ids,
          MOST,
          new long[0],
          id -> {
            show(id + " ");
            return !stopped;
          });
      show(String.format(Locale.ROOT, "\n%.1f tokens a second\n", generator.speed()));
    } catch (IOException | IllegalStateException error) {
      show("\n" + error.getMessage() + "\n");
    }
  }

  private void closeGenerator() {
    if (generator != null) generator.close();
    generator = null;
    opened = "";
  }

  private void show(String text) {
    runOnUiThread(() -> output.append(text));
  }

  private static long[] parse(String text) {
    final String[] words = text.trim().split("\\s*,\\s*");
    final long[] out = new long[words.length];
    for (int i = 0; i < words.length; i++) out[i] = Long.parseLong(words[i]);
    return out;
  }

  /** The model as a file of its own, which the runtime maps: copied out of the package once an update. */
  private File model() throws IOException {
    final long installed;
    try {
      installed = getPackageManager().getPackageInfo(getPackageName(), 0).lastUpdateTime;
    } catch (android.content.pm.PackageManager.NameNotFoundException error) {
      throw new IOException(error);
    }
    final File out = new File(getFilesDir(), installed + "-" + MODEL);
    if (out.isFile()) return out;
    final File part = new File(getFilesDir(), MODEL + ".part");
    try (InputStream from = getAssets().open(MODEL);
        FileOutputStream to = new FileOutputStream(part)) {
      final byte[] block = new byte[1 << 20];
      for (int n = from.read(block); n > 0; n = from.read(block)) to.write(block, 0, n);
    }
    final File[] old = getFilesDir().listFiles((folder, name) -> name.endsWith("-" + MODEL));
    if (old != null) for (File file : old) file.delete();
    if (!part.renameTo(out)) throw new IOException("cannot rename " + part + " to " + out);
    return out;
  }
}
