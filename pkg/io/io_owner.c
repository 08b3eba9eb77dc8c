/* io_owner.c - see io_owner.h */
#include "io/io_owner.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TCP_LISTENING = 0x0a, UNIX_LISTENING = 0x10000 };

struct found {
	unsigned long long inode;	/* 0: none */
	long uid;			/* -1: not told */
};

/* ---------------------------------------------------------- the process -- */

static struct str
name_of(struct arena *arena, const char *pid)
{
	char path[64], name[64];
	int fd;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, name, sizeof name);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return arena_printf(arena, "pid %s", pid);
	return arena_printf(arena, STR_FMT " (pid %s)",
	    STR_ARG(str_trim((struct str){ name, (size_t)n })), pid);
}

static bool
has_socket(const char *pid, const char *wanted)
{
	char path[64], link[64];
	struct dirent *entry;
	bool found = false;

	snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
	DIR *dir = opendir(path);
	if (dir == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, link,
		    sizeof link - 1);
		if (n <= 0)
			continue;
		link[n] = '\0';
		found = strcmp(link, wanted) == 0;
	}
	closedir(dir);
	return found;
}

static struct str
process_with(struct arena *arena, const struct found *socket)
{
	struct str owner = {0};
	struct dirent *entry;
	char wanted[48];

	if (socket->inode == 0)
		return owner;
	snprintf(wanted, sizeof wanted, "socket:[%llu]", socket->inode);
	DIR *dir = opendir("/proc");
	while (dir != NULL && owner.data == NULL &&
	    (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    has_socket(entry->d_name, wanted))
			owner = name_of(arena, entry->d_name);
	}
	if (dir != NULL)
		closedir(dir);
	if (owner.data == NULL && socket->uid >= 0 &&
	    (uid_t)socket->uid != geteuid())
		owner = arena_printf(arena, "a process of user %ld",
		    socket->uid);
	return owner;
}

/* ------------------------------------------------------------------ TCP -- */

/* "0100007F:1FFC": groups of four bytes in the machine's own order. */
static bool
is_on(const char *text, int family, const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;
	uint32_t there[4] = {0}, here[4] = {0}, none[4] = {0};
	size_t n = family == AF_INET ? 1 : 4;
	unsigned port;
	char group[9] = "";

	if (strlen(text) < 8 * n + 2 || text[8 * n] != ':')
		return false;
	for (size_t i = 0; i < n; i++) {
		memcpy(group, text + 8 * i, 8);
		there[i] = (uint32_t)strtoul(group, NULL, 16);
	}
	port = (unsigned)strtoul(text + 8 * n + 1, NULL, 16);
	if (port != ntohs(address->sa_family == AF_INET ? v4->sin_port :
	    v6->sin6_port))
		return false;
	/* Whoever listens on all addresses is in the way, too. */
	if (memcmp(there, none, sizeof there) == 0)
		return true;
	if (family != address->sa_family)
		return false;
	memcpy(here, family == AF_INET ? (const void *)&v4->sin_addr :
	    (const void *)&v6->sin6_addr, 4 * n);
	return memcmp(here, none, sizeof here) == 0 ||
	    memcmp(there, here, 4 * n) == 0;
}

static struct found
find_port(const char *table, int family, const struct sockaddr *address)
{
	struct found found = { .uid = -1 };
	FILE *file = fopen(table, "re");
	char line[512], local[64];
	unsigned state;
	unsigned long long inode;
	long uid;

	while (file != NULL && found.inode == 0 &&
	    fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, " %*s %63s %*s %x %*s %*s %*s %ld %*s %llu",
		    local, &state, &uid, &inode) == 4 &&
		    state == TCP_LISTENING && is_on(local, family, address))
			found = (struct found){ .inode = inode, .uid = uid };
	if (file != NULL)
		fclose(file);
	return found;
}

struct str
io_owner_of_port(struct arena *arena, const struct sockaddr *address)
{
	struct found found = find_port("/proc/net/tcp", AF_INET, address);

	if (found.inode == 0)
		found = find_port("/proc/net/tcp6", AF_INET6, address);
	return process_with(arena, &found);
}

/* ----------------------------------------------------------------- unix -- */

struct str
io_owner_of_path(struct arena *arena, struct str path)
{
	struct found found = { .uid = -1 };
	FILE *file = fopen("/proc/net/unix", "re");
	char line[512];
	unsigned flags;
	unsigned long long inode;
	int at = 0;

	while (file != NULL && found.inode == 0 &&
	    fgets(line, sizeof line, file) != NULL) {
		if (sscanf(line, "%*s %*s %*s %x %*s %*s %llu %n", &flags,
		    &inode, &at) != 2 || (flags & UNIX_LISTENING) == 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (str_is(path, line + at))
			found.inode = inode;
	}
	if (file != NULL)
		fclose(file);
	return process_with(arena, &found);
}
