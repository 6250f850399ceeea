/* Makes every visitor seem to come from 198.51.100.7 (TEST-NET-2, RFC 5737).
 *
 * Redis in protected mode refuses all but loopback, and the lab has nothing but loopback. Loaded with LD_PRELOAD
 * by redis.py; packets are not touched.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>

int getpeername(int fd, struct sockaddr *address, socklen_t *length)
{
    int (*real)(int, struct sockaddr *, socklen_t *) = dlsym(RTLD_NEXT, "getpeername");
    int code = real(fd, address, length);
    if (code == 0 && address->sa_family == AF_INET)
        inet_pton(AF_INET, "198.51.100.7", &((struct sockaddr_in *)address)->sin_addr);
    return code;
}
