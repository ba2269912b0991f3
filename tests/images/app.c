/* The one program of an image that has nothing else: what a test wants to know of the place it runs in.
 *
 *   app              says that it is here, then repeats each line until the input's end
 *   app exit N       ends with code N
 *   app env NAME     prints a variable; code 1 where it is not set
 *   app cwd          prints the working directory
 *   app id           prints UID:GID
 *   app touch PATH   makes a file
 *   app sleep N      sleeps N seconds, and ends on TERM, which a first process ignores unless it asks for it
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void end(int signal) { _exit(128 + signal); }

static int repeat_lines(void) {
    char line[4096];
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("app is here");
    while (fgets(line, sizeof line, stdin))
        fputs(line, stdout);
    return 0;
}

int main(int count, char **words) {
    signal(SIGTERM, end);
    if (count == 1)
        return repeat_lines();
    const char *verb = words[1], *argument = count > 2 ? words[2] : "";
    if (!strcmp(verb, "exit"))
        return atoi(argument);
    if (!strcmp(verb, "env")) {
        const char *value = getenv(argument);
        return !value || puts(value) < 0;
    }
    if (!strcmp(verb, "cwd")) {
        char path[4096];
        return !getcwd(path, sizeof path) || puts(path) < 0;
    }
    if (!strcmp(verb, "id"))
        return printf("%u:%u\n", (unsigned)getuid(), (unsigned)getgid()) < 0;
    if (!strcmp(verb, "touch"))
        return open(argument, O_WRONLY | O_CREAT, 0666) < 0;
    if (!strcmp(verb, "sleep")) {
        sleep((unsigned)strtoul(argument, NULL, 10));
        return 0;
    }
    fprintf(stderr, "app: unknown argument: %s\n", verb);
    return 2;
}
