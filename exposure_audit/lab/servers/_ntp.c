/* Moves the sockets of ntpd to one address and port of loopback, and keeps its hands off the clock.
 *
 * ntpd always opens the wildcard addresses and port 123; here both become LAB_NTP_ADDRESS and LAB_NTP_PORT,
 * everything else it tries to bind is refused. Loaded with LD_PRELOAD by ntp.py, which needs no root for it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

int bind(int fd, const struct sockaddr *wanted, socklen_t length)
{
    static int taken = 0;
    int (*real)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "bind");
    if (wanted->sa_family == AF_INET6) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    if (wanted->sa_family != AF_INET)
        return real(fd, wanted, length);
    struct sockaddr_in mine = *(const struct sockaddr_in *)wanted;
    const char *port = getenv("LAB_NTP_PORT"), *address = getenv("LAB_NTP_ADDRESS");
    if (!port || !address || inet_pton(AF_INET, address, &mine.sin_addr) != 1)
        abort();
    if (ntohl(mine.sin_addr.s_addr) >> 24 != 127)
        abort();
    mine.sin_port = htons((unsigned short)atoi(port));
    if (((const struct sockaddr_in *)wanted)->sin_addr.s_addr == htonl(INADDR_ANY)) {
        /* The wildcard socket drops all it hears: it gets a port of its own on the same address. */
        mine.sin_port = 0;
        return real(fd, (struct sockaddr *)&mine, sizeof mine);
    }
    if (taken++) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    return real(fd, (struct sockaddr *)&mine, sizeof mine);
}

uid_t getuid(void) { return 0; }
int ntp_adjtime(struct timex *t) { (void)t; return 0; }
int adjtimex(struct timex *t) { (void)t; return 0; }
int clock_settime(clockid_t c, const struct timespec *t) { (void)c; (void)t; return 0; }
int settimeofday(const struct timeval *t, const struct timezone *z) { (void)t; (void)z; return 0; }
int adjtime(const struct timeval *d, struct timeval *o) { (void)d; if (o) o->tv_sec = o->tv_usec = 0; return 0; }
