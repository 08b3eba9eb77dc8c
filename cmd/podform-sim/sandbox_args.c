/*
 * sandbox_args.c - what bwrap is told: the files and mounts of a pod.
 */
#include "cmd/podform-sim/sandbox_args.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/podform-sim/sandbox_files.h"

/* The host's programs and libraries; what is missing is skipped. */
static const char *const usr_binds[] = {
	"/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib32", "/usr/lib64",
	"/usr/libx32", "/usr/libexec", "/usr/share", "/usr/include",
};

/* Links to /usr on most hosts, real directories on old ones. */
static const char *const top_dirs[] = {
	"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
};

/* What programs need of /etc, none of it private. */
static const char *const etc_binds[] = {
	"/etc/alternatives", "/etc/ca-certificates", "/etc/ssl",
	"/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d",
	"/etc/localtime", "/etc/resolv.conf", "/etc/services",
	"/etc/protocols", "/etc/os-release", "/etc/debian_version",
	"/etc/mime.types", "/etc/terminfo", "/etc/perl", "/etc/python3",
	"/etc/python3.11",
};

static const char *const own_dirs[] = {
	"/root", "/opt", "/run", "/workspace",
};

/* sshd as root changes its uid and root directory for each connection and
 * gives a login with a terminal up if it cannot be audited; the rest lets
 * root be root over files and processes of the sandbox. */
static const char *const root_caps[] = {
	"CAP_SETUID", "CAP_SETGID", "CAP_SYS_CHROOT", "CAP_AUDIT_WRITE",
	"CAP_CHOWN", "CAP_FOWNER", "CAP_DAC_OVERRIDE", "CAP_KILL",
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

bool
launch_begin(struct launch *launch, bool as_nobody)
{
	int fd = memfd_create("bwrap-args", MFD_CLOEXEC);

	*launch = (struct launch){ .uid = as_nobody ? 65534 : getuid(),
	    .gid = as_nobody ? 65534 : getgid() };
	if (fd == -1)
		return false;
	launch->args = fdopen(fd, "w+");
	if (launch->args == NULL)
		close(fd);
	return launch->args != NULL;
}

void
launch_release(struct launch *launch)
{
	for (size_t i = 0; i < launch->nfds; i++)
		close(launch->fds[i]);
	if (launch->args != NULL)
		fclose(launch->args);
	*launch = (struct launch){0};
}

/* bwrap takes arguments that end in NUL. */
void
launch_arg(struct launch *launch, const char *arg)
{
	if (fwrite(arg, strlen(arg) + 1, 1, launch->args) != 1)
		launch->failed = true;
}

void
launch_args(struct launch *launch, const char *arg, ...)
{
	va_list list;

	va_start(list, arg);
	for (; arg != NULL; arg = va_arg(list, const char *))
		launch_arg(launch, arg);
	va_end(list);
}

/* A file of the sandbox with this content; mode in octal digits. */
static void
launch_file(struct launch *launch, const char *path, const char *mode,
    const char *text)
{
	size_t len = strlen(text);
	char number[16];
	int fd;

	if (launch->failed)
		return;
	if (launch->nfds == LAUNCH_FDS_MAX) {
		errno = EMFILE;
		launch->failed = true;
		return;
	}
	fd = memfd_create("pod-file", MFD_CLOEXEC);
	if (fd == -1) {
		launch->failed = true;
		return;
	}
	launch->fds[launch->nfds++] = fd;
	if (write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET)) {
		launch->failed = true;
		return;
	}
	snprintf(number, sizeof number, "%d", fd);
	launch_args(launch, "--perms", mode, "--file", number, path, NULL);
}

static void
launch_top_dirs(struct launch *launch)
{
	char target[256];
	struct stat info;
	ssize_t n;

	for (size_t i = 0; i < COUNT(top_dirs); i++) {
		const char *path = top_dirs[i];

		if (lstat(path, &info) == -1)
			continue;
		n = readlink(path, target, sizeof target - 1);
		if (n > 0) {
			target[n] = '\0';
			launch_args(launch, "--symlink", target, path, NULL);
		} else {
			launch_args(launch, "--ro-bind", path, path, NULL);
		}
	}
}

/* This uid is root; it comes first, so that the name wins over nobody's. */
static void
launch_users(struct launch *launch)
{
	unsigned uid = launch->uid, gid = launch->gid;
	char text[256];

	snprintf(text, sizeof text,
	    "root:x:%u:%u:root:/root:/bin/bash\n"
	    "sshd:x:%u:%u::/run/sshd:/usr/sbin/nologin\n"
	    "nobody:x:%u:%u::/nonexistent:/usr/sbin/nologin\n",
	    uid, gid, 65533u, 65533u, 65534u, 65534u);
	launch_file(launch, "/etc/passwd", "0644", text);
	/* No group tty: sshd would have to give terminals to it. */
	snprintf(text, sizeof text, "root:x:%u:\nsshd:x:%u:\nnogroup:x:%u:\n",
	    gid, 65533u, 65534u);
	launch_file(launch, "/etc/group", "0644", text);
	/* `*` is no password, `!` would be a locked account. */
	launch_file(launch, "/etc/shadow", "0600",
	    "root:*:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n");
}

static void
launch_capabilities(struct launch *launch)
{
	if (launch->uid != 0)
		return;		/* a user namespace gives none */
	launch_args(launch, "--cap-drop", "ALL", NULL);
	for (size_t i = 0; i < COUNT(root_caps); i++)
		launch_args(launch, "--cap-add", root_caps[i], NULL);
}

void
launch_root(struct launch *launch, const char *host_name)
{
	char hosts[320];

	launch_args(launch, "--die-with-parent", "--unshare-pid",
	    "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
	    "--new-session", "--as-pid-1", "--clearenv", "--hostname",
	    host_name, NULL);
	launch_capabilities(launch);
	/* Parents that bwrap makes by itself are 0700: not for sshd's user. */
	launch_args(launch, "--perms", "0755", "--dir", "/usr", "--perms",
	    "0755", "--dir", "/etc", "--perms", "0755", "--dir", "/var",
	    NULL);
	for (size_t i = 0; i < COUNT(usr_binds); i++)
		launch_args(launch, "--ro-bind-try", usr_binds[i],
		    usr_binds[i], NULL);
	launch_top_dirs(launch);
	launch_args(launch, "--proc", "/proc", "--dev", "/dev", NULL);
	for (size_t i = 0; i < COUNT(etc_binds); i++)
		launch_args(launch, "--ro-bind-try", etc_binds[i],
		    etc_binds[i], NULL);
	for (size_t i = 0; i < COUNT(own_dirs); i++)
		launch_args(launch, "--tmpfs", own_dirs[i], NULL);
	launch_args(launch, "--perms", "1777", "--tmpfs", "/tmp",
	    "--dir", "/var/log", "--dir", "/var/lib", "--perms", "1777",
	    "--dir", "/var/tmp", "--symlink", "/run", "/var/run",
	    "--dir", "/usr/local/bin", "--dir", "/usr/local/lib",
	    "--dir", "/usr/local/sbin", "--dir", "/home", "--dir", "/mnt",
	    "--chdir", "/", NULL);
	launch_users(launch);
	launch_file(launch, "/var/log/lastlog", "0644", "");
	launch_file(launch, "/var/log/wtmp", "0644", "");
	launch_file(launch, "/run/utmp", "0644", "");
	launch_file(launch, "/etc/nsswitch.conf", "0644", sandbox_nsswitch);
	snprintf(hosts, sizeof hosts, "127.0.0.1 localhost %.250s\n",
	    host_name);
	launch_file(launch, "/etc/hosts", "0644", hosts);
}

static void
launch_environment(struct launch *launch, const struct sandbox_config *config,
    const char *port)
{
	launch_args(launch, "--setenv", "HOME", "/root", "--setenv", "PATH",
	    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	    "--setenv", "HOSTNAME", config->pod_id, NULL);
	for (size_t i = 0; i < config->nenv; i++) {
		const char *line = config->env[i];
		const char *equals = strchr(line, '=');
		char name[256];

		if (equals == NULL || equals == line ||
		    (size_t)(equals - line) >= sizeof name)
			continue;	/* nothing that a container can have */
		memcpy(name, line, (size_t)(equals - line));
		name[equals - line] = '\0';
		launch_args(launch, "--setenv", name, equals + 1, NULL);
	}
	launch_args(launch, "--setenv", "RUNPOD_TCP_PORT_22", port, NULL);
}

void
launch_pod(struct launch *launch, const struct sandbox_config *config,
    uint16_t port)
{
	char number[16], text[2048];

	snprintf(number, sizeof number, "%u", port);
	snprintf(text, sizeof text, "Port %s\n%s", number,
	    sandbox_sshd_config);
	launch_file(launch, "/etc/ssh/sshd_config", "0644", text);
	launch_file(launch, "/etc/pod/start.sh", "0755", sandbox_start_script);
	launch_file(launch, "/root/.bashrc", "0644", sandbox_bashrc);
	launch_file(launch, "/root/.bash_profile", "0644",
	    "[ -r ~/.bashrc ] && . ~/.bashrc\n");
	launch_file(launch, "/usr/local/bin/nvidia-smi", "0755",
	    sandbox_nvidia_smi);
	snprintf(text, sizeof text, "%.200s\n%d\n%d\n%.200s\n",
	    config->gpu_name != NULL ? config->gpu_name : "",
	    config->gpu_name != NULL ? config->gpu_count : 0,
	    config->gpu_memory_gb, config->pod_id);
	launch_file(launch, "/etc/pod/gpu", "0644", text);
	if (config->args != NULL && *config->args != '\0')
		launch_file(launch, "/etc/pod/args", "0644", config->args);
	if (config->volume_path != NULL && *config->volume_path == '/' &&
	    config->volume_source != NULL)
		launch_args(launch, "--bind", config->volume_source,
		    config->volume_path, NULL);
	if (config->volume_path != NULL && *config->volume_path == '/')
		launch_file(launch, "/etc/pod/volume", "0644",
		    config->volume_path);
	launch_environment(launch, config, number);
}

int
launch_end(struct launch *launch)
{
	int fd = fileno(launch->args);

	if (fflush(launch->args) == EOF || lseek(fd, 0, SEEK_SET) != 0)
		launch->failed = true;
	return launch->failed ? -1 : fd;
}
