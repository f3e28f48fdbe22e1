import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Client software "java": HttpClient over JSSE. Argument: the authority. Speaks the protocol of ../player-loop.ts. */
public final class Player {
  private static final int PAGE_PARALLEL = 6;
  /** Threads that wait for an activity that is over must not keep the player. */
  private static final ExecutorService POOL =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            return thread;
          });

  private Player() {}

  static void pauseUntil(long startNs, long ms) throws InterruptedException {
    long left = ms - (System.nanoTime() - startNs) / 1_000_000;
    if (left > 0) Thread.sleep(left);
  }

  private static void play(List<Step> steps, Means means) throws Exception {
    for (Step step : steps) playStep(step, means);
  }

  private static void playStep(Step step, Means means) throws Exception {
    switch (step.op()) {
      case "wait" -> Thread.sleep(step.number("ms"));
      case "get" -> means.get(step);
      case "post" -> means.post(step);
      case "page" -> {
        means.get(step);
        together(step.inner("objects"), PAGE_PARALLEL, means::get);
      }
      case "channel" -> means.channel(step);
      case "sequence" -> play(step.inner("steps"), means);
      case "together" ->
          together(step.inner("steps"), step.number("limit"), one -> playStep(one, means));
      case "pace" -> paced(step, means);
      default -> throw new IllegalArgumentException("no such step: " + step.op());
    }
  }

  private static void paced(Step pace, Means means) throws Exception {
    long start = System.nanoTime();
    long i = -pace.number("ahead");
    for (Step one : pace.inner("steps")) {
      pauseUntil(start, i * pace.number("every"));
      playStep(one, means);
      i++;
    }
  }

  private interface Doing {
    void step(Step step) throws Exception;
  }

  private static void together(List<Step> steps, int limit, Doing doing) throws Exception {
    List<Step> left = new ArrayList<>(steps);
    List<Future<?>> lanes = new ArrayList<>();
    for (int i = 0; i < Math.min(limit, steps.size()); i++) {
      lanes.add(
          POOL.submit(
              () -> {
                for (Step one = take(left); one != null; one = take(left)) doing.step(one);
                return null;
              }));
    }
    for (Future<?> lane : lanes) lane.get();
  }

  private static Step take(List<Step> left) {
    synchronized (left) {
      return left.isEmpty() ? null : left.remove(0);
    }
  }

  private static String perform(Map<?, ?> activity, SSLContext trust) throws Exception {
    long startUs = microseconds();
    Means means = new Means((List<?>) activity.get("hosts"), (String) activity.get("protocol"), trust);
    List<Step> steps = Step.listOf(activity.get("steps"));
    Future<?> playing =
        POOL.submit(
            () -> {
              play(steps, means);
              return null;
            });
    String fault = "";
    try {
      playing.get(((Double) activity.get("within")).longValue(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException over) {
      playing.cancel(true); // Time that is over is no fault.
    } catch (Exception caught) {
      fault = ",\"fault\":" + Json.quote(String.valueOf(caught.getCause()));
    }
    return String.format(
        "{\"id\":%s,\"startUs\":%d,\"endUs\":%d%s}",
        Json.quote((String) activity.get("id")), startUs, microseconds(), fault);
  }

  private static long microseconds() {
    Instant now = Instant.now();
    return now.getEpochSecond() * 1_000_000 + now.getNano() / 1000;
  }

  private static SSLContext trustOf(String file) throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (InputStream pem = new FileInputStream(file)) {
      store.setCertificateEntry(
          "lab", CertificateFactory.getInstance("X.509").generateCertificate(pem));
    }
    TrustManagerFactory managers =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    managers.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, managers.getTrustManagers(), null);
    return context;
  }

  public static void main(String[] args) throws Exception {
    if (args.length != 1) {
      System.err.println("usage: Player AUTHORITY");
      System.exit(2);
    }
    SSLContext trust = trustOf(args[0]);
    System.err.println("ready");
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      System.out.println(perform((Map<?, ?>) Json.read(line), trust));
      // A client has no close before Java 21: its connections go with it.
      System.gc();
    }
    System.exit(0);
  }
}
