package kubeyarn.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;

/**
 * Runs what it reads and prints what it measured, a line of JSON each.
 *
 * <p>One process serves many runs, so that they find the code compiled by the ones before.
 */
public final class Bench {
  private Bench() {}

  public static void main(String[] arguments) {
    int status = 1;
    try {
      answer();
      status = 0;
    } catch (Throwable any) {
      any.printStackTrace();
    }
    // A ResourceManager leaves threads behind that would keep the process.
    System.exit(status);
  }

  private static void answer() throws Exception {
    LocalResourceManager.beSilent();
    PrintStream answers = System.out;
    // Whatever else is printed must not stand among the answers.
    System.setOut(System.err);
    ObjectMapper json = new ObjectMapper();
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      Measured found = Run.of(json.readValue(line, Request.class));
      answers.println(json.writeValueAsString(found));
      answers.flush();
    }
  }
}
