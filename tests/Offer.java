import java.net.URI;
import java.net.http.*;

/** Java's own client, which offers HTTP/2 with every request: `java Offer.java URL`. */
class Offer {
    public static void main(String[] args) throws Exception {
        var client = HttpClient.newHttpClient();
        for (var body : new String[] {"{\"username\":\"java\",\"password\":\"correct horse\"}", "x"}) {
            var request = HttpRequest.newBuilder(URI.create(args[0] + "/user"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body)).build();
            var answer = client.send(request, HttpResponse.BodyHandlers.ofString());
            System.out.println(answer.statusCode() + " " + answer.body());
        }
    }
}
