/*
 * sandbox.h - a pod that is really there: a bubblewrap sandbox with sshd.
 *
 * Each running pod of podform-sim is a process tree of its own, with its own
 * root user, files, process table and a real OpenSSH server on a port of
 * 127.0.0.1.  It needs neither root nor set-uid programs: everything inside
 * runs as the uid of podform-sim, which a passwd file of the sandbox calls
 * `root`.  (When podform-sim is root, that is uid 0 with the few
 * capabilities that sshd needs; otherwise a user namespace is used.  Root
 * that may not do the first, as in many containers, falls back to the second
 * as uid 65534, once sandbox_usable() has found that out.)
 *
 * What is shared with the host: the network namespace (so a service in one
 * pod is seen on every loopback port), and /usr, read-only.  Home
 * directories, /var, /tmp and most of /etc are not.
 *
 * Nothing survives podform-sim: the sandbox dies with the thread that
 * started it, also by SIGKILL.  So start sandboxes from the main thread, or
 * from one that lives as long as the process.
 *
 * Nothing here blocks, except sandbox_usable() and sandbox_free().  A
 * sandbox belongs to one thread at a time.
 */
#ifndef SIM_SANDBOX_H
#define SIM_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

#define SANDBOX_STOP_MS 2000	/* between SIGTERM and SIGKILL */
#define SANDBOX_LOG_MAX ((size_t)256 << 10)

struct sandbox;

/* All is borrowed for the time of the call only. */
struct sandbox_config {
	const char *pod_id;		/* also the host name */
	/*
	 * "NAME=value" lines of the container, as PID 1 sees them and as
	 * /etc/rp_environment keeps them.  A PUBLIC_KEY among them becomes
	 * /root/.ssh/authorized_keys; without one there is no sshd, as in
	 * RunPod's images.  RUNPOD_TCP_PORT_22 is added.
	 */
	const char *const *env;
	size_t nenv;
	const char *args;		/* start command for bash, or NULL */
	const char *volume_path;	/* made if missing; NULL for none */
	const char *volume_source;	/* the host's directory behind it; NULL:
					   it is empty at each start */
	const char *gpu_name;		/* for nvidia-smi; NULL for no GPU */
	int gpu_count;
	int gpu_memory_gb;
};

enum sandbox_state {
	SANDBOX_STARTING,	/* sshd does not listen yet */
	SANDBOX_READY,		/* it does, or there is to be none */
	SANDBOX_STOPPING,	/* SIGTERM was sent, SIGKILL comes at 2 s */
	SANDBOX_GONE,		/* no process is left */
};

/*
 * Can this host have sandboxes?  Tries an empty one, which takes about
 * 20 ms.  If not, why (a caller's buffer of size bytes) says the reason.
 */
bool sandbox_usable(char *why, size_t size);

/*
 * Start a pod.  Returns owned (sandbox_free) or NULL with errno set, when
 * this process lacks memory, descriptors or processes.
 */
struct sandbox *sandbox_start(const struct sandbox_config *config);

/* Look after it: notices readiness and death, sends the SIGKILL that is due.
 * now_ms is a monotonic clock's. */
enum sandbox_state sandbox_poll(struct sandbox *sandbox, int64_t now_ms);

/* Ask it to end; poll until it is gone. */
void sandbox_stop(struct sandbox *sandbox, int64_t now_ms);

/* Is any process of it left?  As of the last poll. */
bool sandbox_alive(const struct sandbox *sandbox);

/* The bwrap process; the sandbox dies with it. */
pid_t sandbox_pid(const struct sandbox *sandbox);

/* Where its port 22 is found on 127.0.0.1; kept until sandbox_free(). */
uint16_t sandbox_port(const struct sandbox *sandbox);

/*
 * What PID 1 and the start command have printed, at most SANDBOX_LOG_MAX
 * bytes (later output is lost).  Borrows until sandbox_free().
 */
struct str sandbox_log(const struct sandbox *sandbox);

/* End it at once if it lives, wait for that, release.  NULL is harmless. */
void sandbox_free(struct sandbox *sandbox);

#endif
