/* The app that every tool restarts. Its first act is to take the time; then it tells the
 * benchmark time, process and version through a pipe, and sleeps.
 *
 *   app PIPE [HABIT]...       the executable itself
 *   #!/path/app =PIPE         as the interpreter of a script, whose second line is its version
 *
 * Habits: log=PATH (appends a line every 10 ms, the file stays open), slow=MS (takes so long to
 * stop), helper=deaf|session|double (a child that ignores TERM: in the app's group, in a session
 * of its own, double-forked), orphans (children whose parent is gone, and that end). A version
 * that begins with x ends at once with code 1. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The form of the project's test app, so that the same code makes other builds of it. */
static volatile const char marker[41] = "relaunch-test-app-build:v1..............";
enum { KEY = 24, VERSION = 16 };

struct record {
	int64_t nanoseconds; /* CLOCK_MONOTONIC */
	int32_t pid;
	char kind; /* S = the app started, H = a helper started */
	char unused[3];
	char version[VERSION];
};

static int out = -1;
static struct record record;
static long slow;

static void tell(char kind)
{
	record.kind = kind;
	record.pid = getpid();
	if (write(out, &record, sizeof record) != sizeof record)
		_exit(3);
}

static void read_script(const char *path)
{
	char text[512];
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
	text[length > 0 ? length : 0] = 0;
	char *line = strchr(text, '\n');
	memset(record.version, '.', VERSION);
	if (line && line[1] == '#' && line[2] == ' ' && strlen(line) >= 3 + VERSION)
		memcpy(record.version, line + 3, VERSION);
	close(file);
}

static void read_marker(void)
{
	for (int i = 0; i < VERSION; i++)
		record.version[i] = marker[KEY + i];
}

static void stop_slowly(int signal)
{
	(void)signal;
	struct timespec time = {slow / 1000, slow % 1000 * 1000000};
	nanosleep(&time, NULL);
	_exit(0);
}

static void help(const char *kind)
{
	if (fork())
		return;
	if (!strcmp(kind, "double") && fork())
		_exit(0);
	if (strcmp(kind, "deaf"))
		setsid();
	signal(SIGTERM, SIG_IGN);
	tell('H');
	for (;;)
		pause();
}

static void make_orphans(void)
{
	for (int i = 0; i < 5; i++) {
		if (fork())
			continue;
		if (fork())
			_exit(0);
		usleep(20000);
		_exit(0);
	}
}

static void keep_writing(const char *path)
{
	int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	for (;;) {
		if (write(log, "line\n", 5) != 5)
			_exit(4);
		usleep(10000);
	}
}

int main(int count, char **words)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	record.nanoseconds = time.tv_sec * 1000000000LL + time.tv_nsec;
	if (count > 2 && words[1][0] == '=') {
		words += 2;
		count -= 2;
		read_script(words[0]);
	} else {
		read_marker();
	}
	if (count < 2 || (out = open(words[1], O_WRONLY | O_CLOEXEC)) < 0)
		return 2;
	tell('S');
	if (record.version[0] == 'x')
		return 1;
	const char *log = NULL;
	for (int i = 2; i < count; i++) {
		if (!strncmp(words[i], "slow=", 5)) {
			slow = atol(words[i] + 5);
			signal(SIGTERM, stop_slowly);
		} else if (!strncmp(words[i], "helper=", 7)) {
			help(words[i] + 7);
		} else if (!strcmp(words[i], "orphans")) {
			make_orphans();
		} else if (!strncmp(words[i], "log=", 4)) {
			log = words[i] + 4;
		}
	}
	if (log)
		keep_writing(log);
	for (;;)
		pause();
}
