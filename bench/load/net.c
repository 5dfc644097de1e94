/* The load client's ground: clock, latencies, complaints, templates, and sockets in one epoll set. */
#define _GNU_SOURCE
#include "load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 512 };

Socket *sockets;
char inbox[INBOX];
static int poller;

/* ---- clock and latencies ---- */

int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static double percentile_ms(const Latencies *l, double share) {
    uint64_t wanted = (uint64_t)(share * (double)l->total), seen = 0;
    for (uint64_t b = 0; b < BUCKETS; b++) {
        seen += l->bucket[b];
        if (seen <= wanted) continue;
        uint64_t shift = b < 2 * FINE ? 0 : b / FINE - 1;
        double top = (double)((b - shift * FINE + 1) << shift);
        return (top < (double)l->worst ? top : (double)l->worst) / 1e6;
    }
    return (double)l->worst / 1e6;
}

void print_latencies(const Latencies *l) {
    printf("\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f, \"max_ms\": %.3f", percentile_ms(l, .5),
           percentile_ms(l, .99), percentile_ms(l, .999), (double)l->worst / 1e6);
}

/* ---- complaints ---- */

static long long errors;
static char first_error[200];

void complain(const char *p, size_t n) {
    if (errors++) return;
    size_t o = 0;
    for (size_t k = 0; k < n && o < sizeof first_error - 3; k++) {
        if (p[k] == '"' || p[k] == '\\') first_error[o++] = '\\';
        first_error[o++] = p[k] < ' ' || p[k] > '~' ? ' ' : p[k];
    }
    first_error[o] = 0;
}

void forget_errors(void) {
    errors = 0;
    first_error[0] = 0;
}

void print_errors(void) {
    printf("\"errors\": %lld, \"first_error\": \"%s\"}\n", errors, first_error);
    fflush(stdout);
}

void die(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    exit(1);
}

/* ---- templates ---- */

static const char *line_of(Lines lines, long long i) { return lines.count ? lines.line[i % lines.count] : ""; }

static bool named(const char *from, size_t length, const char *name) {
    return length == strlen(name) && !memcmp(from, name, length);
}

size_t expand(const char *from, char *to, size_t size, long long item, long long count, int64_t due) {
    size_t n = 0;
    while (*from && n < size) {
        const char *end = *from == '<' ? strchr(from, '>') : NULL;
        size_t length = end ? (size_t)(end + 1 - from) : 0, left = size - n;
        int put = -1;
        if (named(from, length, "<room>")) put = snprintf(to + n, left, "%s", line_of(options.rooms, item));
        if (named(from, length, "<token>")) put = snprintf(to + n, left, "%s", line_of(options.tokens, item));
        if (named(from, length, "<count>")) put = snprintf(to + n, left, "%lld", count);
        if (named(from, length, "<mark>")) put = snprintf(to + n, left, "%c%0*lld", MARK, MARK_DIGITS, (long long)due);
        if (put < 0) to[n++] = *from++;
        else { n += (size_t)put; from = end + 1; }
    }
    if (n >= size) die("a template is longer than %zu bytes", size);
    to[n] = 0;
    return n;
}

/* ---- sockets ---- */

void make_sockets(int count) {
    sockets = calloc((size_t)count, sizeof *sockets);
    poller = epoll_create1(0);
}

static void watch(int i, uint32_t events, int operation) {
    struct epoll_event e = {.events = events, .data.u32 = (uint32_t)i};
    if (epoll_ctl(poller, operation, sockets[i].fd, &e)) die("epoll_ctl: %s", strerror(errno));
}

void dial(int i) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0) die("socket: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) die("connect: %s", strerror(errno));
    sockets[i] = (Socket){.fd = fd, .state = CONNECTING, .offset = -1, .began = now()};
    watch(i, EPOLLIN, EPOLL_CTL_ADD);
}

void hang_up(int i) {
    close(sockets[i].fd);
    free(sockets[i].in);
    free(sockets[i].out);
    sockets[i] = (Socket){.fd = -1, .state = CLOSED};
}

void transmit(int i, const char *p, size_t n) {
    Socket *s = &sockets[i];
    ssize_t sent = s->out_length ? 0 : send(s->fd, p, n, MSG_NOSIGNAL);
    if (sent < 0) sent = 0;             /* full, or broken: then reading says so */
    if ((size_t)sent == n) return;
    size_t rest = n - (size_t)sent;
    if (!s->out_length) watch(i, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
    s->out = realloc(s->out, s->out_length + rest);
    memcpy(s->out + s->out_length, p + sent, rest);
    s->out_length += (uint32_t)rest;
}

static void on_writable(int i) {
    Socket *s = &sockets[i];
    ssize_t sent = send(s->fd, s->out, s->out_length, MSG_NOSIGNAL);
    if (sent <= 0) return;
    s->out_length -= (uint32_t)sent;
    memmove(s->out, s->out + sent, s->out_length);
    if (s->out_length) return;
    free(s->out);
    s->out = NULL;
    watch(i, EPOLLIN, EPOLL_CTL_MOD);
}

ssize_t receive(int i) {
    Socket *s = &sockets[i];
    if (s->in_length) memcpy(inbox, s->in, s->in_length);
    ssize_t got = recv(s->fd, inbox + s->in_length, INBOX - s->in_length, 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
    return got ? got + s->in_length : -1;
}

void keep(int i, const char *p, size_t n) {
    Socket *s = &sockets[i];
    if (n == INBOX) die("a frame or an answer is longer than %d bytes", INBOX);
    s->in_length = (uint32_t)n;
    if (n) {
        s->in = realloc(s->in, n);
        memcpy(s->in, p, n);
    } else if (s->in) {
        free(s->in);
        s->in = NULL;
    }
}

/* One turn of the loop: waits up to `wait` ns for anything to come. */
void turn(void (*on_readable)(int), int64_t wait) {
    struct epoll_event events[EVENTS];
    struct timespec limit = {.tv_sec = wait / SECOND, .tv_nsec = wait % SECOND};
    int n = epoll_pwait2(poller, events, EVENTS, &limit, NULL);
    for (int k = 0; k < n; k++) {
        int i = (int)events[k].data.u32;
        if (events[k].events & EPOLLOUT) on_writable(i);
        if (events[k].events & ~(uint32_t)EPOLLOUT) on_readable(i);
    }
}
