import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import javax.net.ssl.SSLContext;

/** How Java's own client does what steps ask for; paths and messages are those of origin/request-path.ts. */
final class Means {
  private static final String FILLING =
      "k3v9xq7wz1m5n8b2c6f4h0j-p_rtydgslaeuioKQWZXVBNMHGFDSPOIUYTREwq8d7s6a5f4g3h2j1k0lzmxncbv";
  private static final int OPENING_BYTES = 160;
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  private final List<?> hosts;
  private final HttpClient client;

  Means(List<?> hosts, String protocol, SSLContext trust) {
    this.hosts = hosts;
    this.client =
        HttpClient.newBuilder()
            .sslContext(trust)
            .version(protocol.equals("h2") ? HttpClient.Version.HTTP_2 : HttpClient.Version.HTTP_1_1)
            .build();
  }

  static String padding(int bytes) {
    return FILLING.repeat(bytes / FILLING.length() + 1).substring(0, Math.max(bytes, 0));
  }

  private static String padded(String order, int bytes) {
    return order + padding(bytes - order.length());
  }

  private URI uri(String scheme, Step step, String path) {
    return URI.create(scheme + "://" + hosts.get(step.number("host")) + path);
  }

  void get(Step step) throws Exception {
    String query = step.number("up") > 0 ? "?" + padding(step.number("up")) : "";
    String path =
        "/g/" + step.number("down") + "/" + step.number("hold") + "/" + step.number("rate") + query;
    exchange(HttpRequest.newBuilder(uri("https", step, path)).GET());
  }

  void post(Step step) throws Exception {
    String path = "/u/" + step.number("down") + "/" + step.number("hold");
    HttpRequest.BodyPublisher body = HttpRequest.BodyPublishers.ofString(padding(step.number("up")));
    exchange(HttpRequest.newBuilder(uri("https", step, path)).POST(body));
  }

  private void exchange(HttpRequest.Builder request) throws Exception {
    HttpResponse<InputStream> response =
        client.send(request.timeout(TIMEOUT).build(), HttpResponse.BodyHandlers.ofInputStream());
    try (InputStream body = response.body()) {
      byte[] room = new byte[65536];
      while (body.read(room) >= 0) {}
    }
  }

  void channel(Step step) throws Exception {
    WebSocket socket =
        client.newWebSocketBuilder().buildAsync(uri("wss", step, "/c"), new Swallow()).get();
    socket.sendText(padded("!" + step.text("push") + "|", OPENING_BYTES), true).get();
    long start = System.nanoTime();
    for (Step send : step.inner("sends")) {
      Player.pauseUntil(start, send.number("at"));
      if (socket.isOutputClosed()) return;
      socket.sendText(padded(send.order(), send.number("up")), true).get();
    }
    Player.pauseUntil(start, step.number("lasts"));
    socket.sendClose(WebSocket.NORMAL_CLOSURE, "");
  }

  /** Takes whatever comes. */
  private static final class Swallow implements WebSocket.Listener {
    @Override
    public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer data, boolean last) {
      socket.request(1);
      return null;
    }
  }
}
