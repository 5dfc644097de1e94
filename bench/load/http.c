/* The mode `http`: keeps one request under way on each of its keep-alive connections, for --seconds. */
#define _GNU_SOURCE
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BROKEN_LIMIT = 1000 };
static struct { long long begun, answered, not_2xx, broken; int64_t end; Latencies latency; } http;

static void ask(int i) {
    char body[MAX_TEXT], template[MAX_TEXT], request[2 * MAX_TEXT];
    long long count = http.begun++;     /* request by request, so that no account or room is asked more than others */
    size_t length = expand(options.body, body, sizeof body, count, count, 0);
    snprintf(template, sizeof template, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s", options.method, options.path,
             options.port, options.headers);
    size_t n = expand(template, request, MAX_TEXT, count, count, 0);
    if (length) n += (size_t)sprintf(request + n, "Content-Length: %zu\r\n", length);
    n += (size_t)sprintf(request + n, "\r\n%s", body);
    sockets[i].began = now();
    transmit(i, request, n);
}

/* The length of the answer at p if all of it is there, else 0. */
static size_t answer_length(const char *p, size_t n) {
    const char *end = memmem(p, n, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = (size_t)(end + 4 - p);
    for (const char *line = p; line < end; line = (const char *)memmem(line, n - (size_t)(line - p), "\r\n", 2) + 2) {
        if (!strncasecmp(line, "content-length:", 15)) {
            size_t whole = head + strtoul(line + 15, NULL, 10);
            return whole <= n ? whole : 0;
        }
        if (!strncasecmp(line, "transfer-encoding: chunked", 26))   /* one request at a time: the last chunk ends it */
            return n >= head + 5 && !memcmp(p + n - 5, "0\r\n\r\n", 5) ? n : 0;
    }
    return head;
}

static void on_answer(int i, const char *p, size_t n) {
    int64_t at = now();
    if (at >= http.end) return;
    http.answered++;
    record(&http.latency, at - sockets[i].began);
    if (memcmp(p, "HTTP/1.1 2", 10)) { http.not_2xx++; complain(p, n); }
    ask(i);
}

static void on_readable(int i) {
    ssize_t n = receive(i);
    if (n < 0) {                        /* the server may end a connection between two requests: go on with another */
        hang_up(i);
        if (++http.broken > BROKEN_LIMIT) die("the server ended %d connections", BROKEN_LIMIT);
        dial(i);
        ask(i);
    }
    if (n <= 0) return;
    size_t whole = answer_length(inbox, (size_t)n);
    keep(i, inbox + whole, (size_t)n - whole);
    if (whole) on_answer(i, inbox, whole);
}

void run_http(void) {
    http.end = now() + options.run_ns;
    for (int i = 0; i < options.sockets; i++) { dial(i); ask(i); }
    while (now() < http.end) turn(on_readable, SECOND / 20);
    printf("{\"seconds\": %.3f, \"answered\": %lld, \"per_s\": %.1f, ", (double)options.run_ns / SECOND, http.answered,
           (double)http.answered * SECOND / (double)options.run_ns);
    print_latencies(&http.latency);
    printf(", \"not_2xx\": %lld, \"broken\": %lld, ", http.not_2xx, http.broken);
    print_errors();
}
