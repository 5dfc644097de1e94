/* The mode `ws`: opens sockets, then posts at the rates that stdin asks for and accounts for every delivery. */
#define _GNU_SOURCE
#include "load.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POSTS_A_TURN = 64 };
static const int64_t QUIET = 3 * SECOND, DRAIN = 30 * SECOND, HANDSHAKE_LIMIT = 20 * SECOND;

static int opened, closed, under_way;
static int *members;                    /* open sockets of each room */
static Latencies handshakes;

static int room_of(int i) { return options.rooms.count ? i % options.rooms.count : 0; }

static void leave(int i) {
    if (sockets[i].state == CONNECTING || sockets[i].state == GREETING) under_way--;
    if (sockets[i].state == OPEN) { opened--; members[room_of(i)]--; }
    closed++;
    hang_up(i);
}

/* ---- a window of posts: what was asked for and what came of it ---- */

typedef struct { long long received, in_time; Latencies latency; } Tally;
static struct {
    int64_t begin, end;
    long long sent, expected, gaps, repeats, stray;
    Tally deliveries, acks;
} window;

static void count(Tally *tally, int64_t due, int64_t at) {
    tally->received++;
    tally->in_time += at <= window.end;
    record(&tally->latency, at - due);
}

/* When the post in this frame was due, or -1 if the frame has no mark. */
static int64_t mark_in(const char *p, size_t n) {
    const char *mark = memchr(p, MARK, n);
    if (!mark || p + n - mark <= MARK_DIGITS) return -1;
    int64_t due = 0;
    for (int k = 1; k <= MARK_DIGITS; k++) {
        if (mark[k] < '0' || mark[k] > '9') return -1;
        due = due * 10 + (mark[k] - '0');
    }
    return due;
}

/* The number after `"offset":`, or -1. It stands at the same place in frame after frame, so that is tried first. */
static int64_t offset_in(const char *p, size_t n) {
    static const char key[] = "\"offset\":";
    static size_t place;
    const size_t length = sizeof key - 1;
    if (place + length > n || memcmp(p + place, key, length)) {
        const char *found = memmem(p, n, key, length);
        if (!found) return -1;
        place = (size_t)(found - p);
    }
    int64_t offset = 0;
    const char *digit = p + place + length, *end = p + n;
    while (digit < end && *digit == ' ') digit++;
    for (; digit < end && *digit >= '0' && *digit <= '9'; digit++) offset = offset * 10 + (*digit - '0');
    return offset;
}

static void check_order(Socket *s, int64_t offset) {
    if (offset < 0) return;             /* a server without offsets: only the numbers can be compared */
    if (s->offset >= 0 && offset <= s->offset) { window.repeats++; return; }
    if (s->offset >= 0) window.gaps += offset - s->offset - 1;
    s->offset = offset;
}

/* Looks only where the type of a frame stands, so that the text of a message is not mistaken for it. */
static bool says(const char *p, size_t n, const char *word) { return memmem(p, n < 64 ? n : 64, word, strlen(word)); }

static void on_text(Socket *s, const char *p, size_t n, int64_t at) {
    int64_t due = mark_in(p, n);
    if (due < 0) {
        if (says(p, n, "\"error\"")) complain(p, n);
    } else if (due < window.begin) {
        window.stray++;                 /* of an earlier window, too late to count anywhere */
    } else if (says(p, n, "\"reply\"")) {
        count(&window.acks, due, at);
    } else {
        check_order(s, offset_in(p, n));
        count(&window.deliveries, due, at);
    }
}

/* ---- frames ---- */

/* A client has to mask, and the mask may be zero. The payload stands 8 bytes into its buffer, as long a head as any
 * frame here needs; a shorter head is written right before the payload. */
static void send_frame(int i, int opcode, char *payload, size_t n) {
    char *head = n < 126 ? payload - 6 : payload - 8;
    head[0] = (char)(0x80 | opcode);
    head[1] = (char)(0x80 | (n < 126 ? n : 126));
    if (n >= 126) { head[2] = (char)(n >> 8); head[3] = (char)n; }
    memset(payload - 4, 0, 4);
    transmit(i, head, (size_t)(payload + n - head));
}

/* From here on the socket hears its room, and its posts and deliveries count. */
static void count_as_open(int i) {
    sockets[i].state = OPEN;
    opened++;
    under_way--;
    members[room_of(i)]++;
    record(&handshakes, now() - sockets[i].began);
}

static void on_frame(int i, int opcode, const char *p, size_t n, int64_t at) {
    char answer[8 + 125];
    if (sockets[i].state == GREETING && opcode <= 2 && --sockets[i].awaited == 0) count_as_open(i);
    if (opcode <= 2) on_text(&sockets[i], p, n, at);
    if (opcode == 9 && n <= 125) { memcpy(answer + 8, p, n); send_frame(i, 10, answer + 8, n); }
    if (opcode == 8) {
        int code = n >= 2 ? (unsigned char)p[0] << 8 | (unsigned char)p[1] : 1005;
        complain(answer, (size_t)snprintf(answer, sizeof answer, "closed with %d", code));
        leave(i);
    }
}

/* Returns how many of the n bytes were used; what is left is the beginning of a frame. */
static size_t read_frames(int i, const char *start, size_t n, int64_t at) {
    const unsigned char *p = (const unsigned char *)start, *end = p + n;
    while (end - p >= 2 && (sockets[i].state == GREETING || sockets[i].state == OPEN)) {
        uint64_t length = p[1] & 127;
        unsigned head = length == 127 ? 10 : length == 126 ? 4 : 2;
        if (end - p < head) break;
        if (head > 2) length = 0;
        for (unsigned k = 2; k < head; k++) length = length << 8 | p[k];
        if ((uint64_t)(end - p) < head + length) break;
        on_frame(i, p[0] & 15, (const char *)p + head, length, at);
        p += head + length;
    }
    return (size_t)((const char *)p - start);
}

/* ---- opening ---- */

static void begin_handshake(int i) {
    static const char upgrade[] = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: Zm95ZXItYmVuY2gtbG9hZA==\r\n";
    char template[MAX_TEXT], request[MAX_TEXT];
    snprintf(template, sizeof template, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%s\r\n", options.path,
             options.port, upgrade, options.headers);
    dial(i);
    under_way++;
    transmit(i, request, expand(template, request, sizeof request, i, i, 0));
}

/* The status of a refusal and its body, which says why. */
static void tell_refusal(const char *p, size_t n, const char *body) {
    char text[200];
    int status = (int)((const char *)memchr(p, '\r', n) - p), length = (int)(p + n - body);
    int put = snprintf(text, sizeof text, "%.*s %.*s", status, p, length, body);
    complain(text, (size_t)put < sizeof text ? (size_t)put : sizeof text - 1);
}

/* What a socket says first. */
static void say_hello(int i) {
    char buffer[8 + MAX_TEXT], template[MAX_TEXT];
    const Lines *hello = &options.hello;
    if (!hello->count) return;
    for (const char *rest = hello->line[i < hello->count ? i : hello->count - 1]; *rest;) {
        size_t n = strcspn(rest, "\t");
        memcpy(template, rest, n);
        template[n] = 0;
        send_frame(i, 1, buffer + 8, expand(template, buffer + 8, MAX_TEXT, i, 0, 0));
        rest += n + (rest[n] == '\t');
    }
}

static size_t read_handshake(int i, const char *p, size_t n) {
    const char *end = memmem(p, n, "\r\n\r\n", 4);
    if (!end) return 0;
    if (memcmp(p, "HTTP/1.1 101", 12)) { tell_refusal(p, n, end + 4); leave(i); return n; }
    sockets[i].state = GREETING;
    sockets[i].awaited = options.answers;
    if (!options.answers) count_as_open(i);
    say_hello(i);
    return (size_t)(end + 4 - p);
}

static void on_readable(int i) {
    ssize_t n = receive(i);
    int64_t at = now();                 /* once for all the frames that came together */
    if (n < 0) { complain("ended without a close frame", 27); leave(i); }
    if (n <= 0) return;
    size_t used = sockets[i].state == CONNECTING ? read_handshake(i, inbox, (size_t)n) : 0;
    if (sockets[i].state != CONNECTING) used += read_frames(i, inbox + used, (size_t)n - used, at);
    if (sockets[i].state != CLOSED) keep(i, inbox + used, (size_t)n - used);
}

static void open_all(void) {
    int64_t begin = now(), progress = begin;
    int64_t wait = options.pace ? SECOND / 100 : SECOND / 10;
    for (int started = 0, before = 0; opened + closed < options.sockets; turn(on_readable, wait)) {
        int64_t due = options.pace ? 1 + (now() - begin) * options.pace / SECOND : options.sockets;
        if (due > options.sockets) due = options.sockets;
        while (started < due && under_way < options.concurrent) begin_handshake(started++);
        if (opened + closed > before) { before = opened + closed; progress = now(); }
        if (now() - progress > HANDSHAKE_LIMIT) { complain("no handshake was answered for 20 s", 34); break; }
    }
    double seconds = (double)(now() - begin) / SECOND;
    printf("{\"open\": %d, \"closed\": %d, \"seconds\": %.3f, \"per_s\": %.1f, ", opened, closed, seconds,
           opened / seconds);
    print_latencies(&handshakes);
    printf(", ");
    print_errors();
}

/* ---- posting ---- */

static void post(long long number, int64_t due) {
    char buffer[8 + MAX_TEXT];
    int i = (int)(number % (options.posters ? options.posters : options.sockets));
    if (sockets[i].state != OPEN) return;
    send_frame(i, 1, buffer + 8, expand(options.frame, buffer + 8, MAX_TEXT, i, number, due));
    window.sent++;
    window.expected += members[room_of(i)];
}

/* Posts on time, whatever comes back, and reads in between, after POSTS_A_TURN posts at the latest. A post that could
 * not be sent in its time is sent late, never left out: that would hide the very moments in which things are slow. */
static void post_and_read(double rate, double seconds) {
    static long long posted;            /* goes on from window to window, so that all sockets get their turn */
    long long k = 0, total = (long long)(rate * seconds + .5);
    while (k < total || now() < window.end) {
        int64_t t = now(), due = window.end;
        for (int burst = 0; k < total && burst < POSTS_A_TURN; burst++, k++) {
            due = window.begin + (int64_t)((double)k * SECOND / rate);
            if (due > t) break;
            post(posted++, due);
        }
        turn(on_readable, due > t ? due - t : 0);
    }
}

/* Waits for what is still on its way, as long as it keeps coming. */
static void drain(void) {
    long long before = -1;
    int64_t begin = now(), progress = begin;
    for (;;) {
        long long received = window.deliveries.received + window.acks.received;
        bool acks_missing = window.acks.received && window.acks.received < window.sent;
        if (window.deliveries.received >= window.expected && !acks_missing) return;
        if (received != before) { before = received; progress = now(); }
        if (now() - progress > QUIET || now() - begin > DRAIN) return;
        turn(on_readable, SECOND / 50);
    }
}

static void print_tally(const char *name, const Tally *t, long long expected, double seconds) {
    printf("\"%s\": {\"expected\": %lld, \"received\": %lld, \"in_window_per_s\": %.1f, ", name, expected, t->received,
           (double)t->in_time / seconds);
    print_latencies(&t->latency);
    printf("}, ");
}

static void run_window(double rate, double seconds) {
    memset(&window, 0, sizeof window);
    forget_errors();
    window.begin = now();
    window.end = window.begin + (int64_t)(seconds * SECOND);
    post_and_read(rate, seconds);
    drain();
    printf("{\"asked_per_s\": %.1f, \"seconds\": %.3f, \"sent\": %lld, ", rate, seconds, window.sent);
    print_tally("deliveries", &window.deliveries, window.expected, seconds);
    print_tally("acks", &window.acks, window.sent, seconds);
    printf("\"gaps\": %lld, \"repeats\": %lld, \"stray\": %lld, ", window.gaps, window.repeats, window.stray);
    printf("\"open\": %d, \"closed\": %d, ", opened, closed);
    print_errors();
}

/* Between the windows that stdin asks for, and until it ends, the sockets are kept and pings answered. */
void run_ws(void) {
    char line[80];
    double rate, seconds;
    struct pollfd asked = {.fd = STDIN_FILENO, .events = POLLIN};
    setvbuf(stdin, NULL, _IONBF, 0);    /* else poll() knows nothing of lines that stdio has read already */
    members = calloc((size_t)(options.rooms.count ? options.rooms.count : 1), sizeof *members);
    open_all();
    for (;;) {
        turn(on_readable, SECOND / 50);
        if (poll(&asked, 1, 0) <= 0) continue;
        if (!fgets(line, sizeof line, stdin)) return;
        if (sscanf(line, "%lf %lf", &rate, &seconds) != 2 || rate <= 0) die("expected RATE SECONDS, not: %s", line);
        run_window(rate, seconds);
    }
}
