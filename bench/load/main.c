/* load: the bench's client. One thread, one epoll set, nothing but libc (Linux).
 *
 *   cc -O2 -o load *.c
 *   echo '100 5' | ./load ws --port 9000 --path '/room/<room>/subscribe' --header 'Authorization: Bearer <token>' \
 *       --sockets 1000 --rooms rooms.txt --tokens tokens.txt --frame '{"type":"post","text":"<mark>"}'
 *   ./load http --port 9000 --path '/room/<room>/messages' --header 'Authorization: Bearer <token>' --sockets 32 \
 *       --rooms rooms.txt --tokens tokens.txt --method POST --header 'Content-Type: application/json' \
 *       --body '{"text":"hi"}' --seconds 5
 *
 * `ws` opens the sockets, --concurrent handshakes at a time, prints one JSON object about that, and holds them until
 * stdin ends. Each line of stdin, `RATE SECONDS`, is a window: that many frames a second in all are posted, the sockets
 * taking turns, and when the last delivery has come (or nothing has for 3 s) one JSON object about it is printed.
 * Where not all sockets are to post, --posters says how many do, the first ones. With --hello each socket first sends its
 * line of that file, the last line standing for all that have none; a tab separates two frames. With --answers a socket
 * counts as open once so many frames came to it. --pace is how many handshakes a second are begun at most.
 * `http` keeps one request under way on each connection for --seconds and prints one JSON object.
 * After --deadline seconds (600) the client ends, whatever it was doing.
 *
 * Placeholders: <room> and <token> are lines of the two files (socket i has line i modulo their number; with `http`,
 * request i), <count> is the number of the post or request, <mark> where a post carries the time it was due.
 *
 * Latency of a post runs from the time it was *due*, not from when it was written, so that a client or a server that
 * falls behind is charged for it. A marked frame that says "reply" acknowledges a post; any other is a delivery of it.
 * The offsets of one socket's deliveries must rise by one: `gaps` counts those missing, `repeats` those that came again
 * or out of order.
 */
#include "load.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LONGEST_RUN = 600, OTHER_FILES = 16 };

Options options = {.port = 9000, .sockets = 1, .concurrent = 64, .run_ns = 5 * SECOND, .path = "/", .method = "GET",
                   .body = "", .frame = "{\"type\":\"post\",\"text\":\"<mark>\"}"};

static Lines read_lines(const char *name) {
    Lines lines = {0};
    char text[4096];
    FILE *file = fopen(name, "r");
    if (!file) die("%s: %s", name, strerror(errno));
    while (fgets(text, sizeof text, file)) {
        text[strcspn(text, "\r\n")] = 0;
        lines.line = realloc(lines.line, (size_t)(lines.count + 1) * sizeof *lines.line);
        lines.line[lines.count++] = strdup(text);
    }
    fclose(file);
    return lines;
}

static void add_header(const char *header) {
    size_t used = strlen(options.headers), size = sizeof options.headers;
    if (used + strlen(header) + 3 > size) die("the headers are longer than %zu bytes", size);
    sprintf(options.headers + used, "%s\r\n", header);
}

static const struct option known[] = {
    {"port", 1, 0, 'p'}, {"path", 1, 0, 'P'}, {"header", 1, 0, 'h'}, {"sockets", 1, 0, 'n'},
    {"concurrent", 1, 0, 'c'}, {"rooms", 1, 0, 'r'}, {"tokens", 1, 0, 't'}, {"frame", 1, 0, 'f'},
    {"hello", 1, 0, 'H'}, {"posters", 1, 0, 'o'}, {"pace", 1, 0, 'a'}, {"answers", 1, 0, 'A'},
    {"method", 1, 0, 'm'}, {"body", 1, 0, 'b'}, {"seconds", 1, 0, 's'}, {"deadline", 1, 0, 'd'}, {0}};

static void read_options(int argc, char **argv) {
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) switch (option) {
        case 'p': options.port = atoi(optarg); break;
        case 'P': options.path = optarg; break;
        case 'h': add_header(optarg); break;
        case 'n': options.sockets = atoi(optarg); break;
        case 'c': options.concurrent = atoi(optarg); break;
        case 'r': options.rooms = read_lines(optarg); break;
        case 't': options.tokens = read_lines(optarg); break;
        case 'f': options.frame = optarg; break;
        case 'H': options.hello = read_lines(optarg); break;
        case 'A': options.answers = atoi(optarg); break;
        case 'a': options.pace = atoi(optarg); break;
        case 'o': options.posters = atoi(optarg); break;
        case 'm': options.method = optarg; break;
        case 'b': options.body = optarg; break;
        case 's': options.run_ns = (int64_t)(atof(optarg) * SECOND); break;
        case 'd': alarm((unsigned)atoi(optarg)); break;
        default: exit(2);
    }
}

static void raise_file_limit(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    long most = (long)files.rlim_max - OTHER_FILES;
    if (options.sockets < 1 || options.sockets > most) die("--sockets: from 1 to %ld here", most);
}

int main(int argc, char **argv) {
    alarm(LONGEST_RUN);                 /* whoever started this may be gone: it ends by itself */
    read_options(argc, argv);
    raise_file_limit();
    make_sockets(options.sockets);
    const char *mode = optind < argc ? argv[optind] : "";
    if (!strcmp(mode, "ws")) run_ws();
    else if (!strcmp(mode, "http")) run_http();
    else die("say ws or http; the head of main.c explains both");
    return 0;
}
