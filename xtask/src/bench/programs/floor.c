/* The floor: the least that "restart it when it changes" can cost. Waits on inotify for the one
 * name, kills, waits, execs. No settling, no judgement, no care for helpers: nobody should use it,
 * and nobody can be much faster.
 *
 *   floor FOLDER NAME [ARGUMENT]...    runs FOLDER/NAME */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile pid_t child;

static void end(int signal)
{
	(void)signal;
	if (child > 0)
		kill(child, SIGTERM);
	_exit(0);
}

static void start(char **words)
{
	child = vfork();
	if (child == 0) {
		execv(words[0], words);
		_exit(127);
	}
}

int main(int count, char **words)
{
	char events[8192], path[4096];
	if (count < 3)
		return 2;
	const char *name = words[2];
	snprintf(path, sizeof path, "%s/%s", words[1], name);
	words[2] = path;
	signal(SIGTERM, end);
	int watch = inotify_init1(IN_CLOEXEC);
	if (watch < 0 || inotify_add_watch(watch, words[1], IN_CLOSE_WRITE | IN_MOVED_TO) < 0)
		return 1;
	start(words + 2);
	for (;;) {
		ssize_t length = read(watch, events, sizeof events);
		if (length < 0 && errno == EINTR)
			continue;
		int changed = 0;
		for (ssize_t at = 0; at < length;) {
			struct inotify_event *event = (struct inotify_event *)(events + at);
			changed |= event->len && !strcmp(event->name, name);
			at += (ssize_t)(sizeof *event + event->len);
		}
		if (!changed)
			continue;
		kill(child, SIGTERM);
		waitpid(child, NULL, 0);
		start(words + 2);
	}
}
