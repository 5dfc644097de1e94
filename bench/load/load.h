/* What the load client's files share: options (main.c), latencies, templates and sockets (net.c), the two modes. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SECOND 1000000000LL             /* all times are in ns of one monotonic clock */
enum { MARK = '~', MARK_DIGITS = 18, MAX_TEXT = 16384, INBOX = 1 << 20 };

/* ---- the command line ---- */

typedef struct { char **line; int count; } Lines;
typedef struct {
    int port, sockets, posters, concurrent, pace, answers;
    int64_t run_ns;
    const char *path, *method, *body, *frame;
    char headers[8192];
    Lines tokens, rooms, hello;
} Options;
extern Options options;

/* ---- latencies, in buckets less than 1% wide ---- */

enum { FINE_BITS = 7, FINE = 1 << FINE_BITS, BUCKETS = FINE * (64 - FINE_BITS + 1) };
typedef struct { uint64_t bucket[BUCKETS], total; int64_t worst; } Latencies;

int64_t now(void);
void print_latencies(const Latencies *l);       /* as members of a JSON object */

/* Here for the compiler to inline: it runs once per frame. */
static inline void record(Latencies *l, int64_t ns) {
    uint64_t v = ns > 0 ? (uint64_t)ns : 0;
    int shift = v < FINE ? 0 : 63 - __builtin_clzll(v) - FINE_BITS;
    l->bucket[v < FINE ? v : (uint64_t)shift * FINE + (v >> shift)]++;
    l->total++;
    if (ns > l->worst) l->worst = ns;
}

/* ---- what went wrong: all are counted, the first is kept to be shown ---- */

void complain(const char *p, size_t n);
void forget_errors(void);
void print_errors(void);                        /* the last members of a JSON object, and its end */
_Noreturn void die(const char *format, ...);

/* ---- sockets: `in` keeps what came while it is incomplete, `out` what can't be written yet ---- */

enum { UNUSED, CONNECTING, GREETING, OPEN, CLOSED };
typedef struct {
    int fd, state;
    int awaited;                                /* frames that have to come before the socket counts as open */
    uint32_t in_length, out_length;
    char *in, *out;
    int64_t began;                              /* when the handshake or the request under way was begun */
    int64_t offset;                             /* of the last delivery; -1 before the first */
} Socket;
extern Socket *sockets;
extern char inbox[INBOX];                       /* one for all: what a socket keeps is only the rest of a frame */

void make_sockets(int count);
void dial(int i);
void hang_up(int i);
void transmit(int i, const char *p, size_t n);
ssize_t receive(int i);                         /* all held of socket i is in `inbox`; 0: nothing new, -1: ended */
void keep(int i, const char *p, size_t n);
void turn(void (*on_readable)(int), int64_t wait);

/* Fills in a template for `item` (which line of the files), the `count`-th post or request, due at `due`. */
size_t expand(const char *from, char *to, size_t size, long long item, long long count, int64_t due);

void run_ws(void);
void run_http(void);
