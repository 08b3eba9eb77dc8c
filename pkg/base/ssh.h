/*
 * ssh.h - what can be asked to be done inside a pod, and what may come of it.
 *
 * Values: the seam between the core, which decides what is to be done, and
 * pkg/ssh, which does it through a worker process per pod.  A task is what
 * the core means ("start this runner"); the shell text for it is made by
 * pkg/ssh/task.c, so that the simulation can play pods without a shell.
 *
 * Everything that comes back was written by the pod: untrusted bytes.
 */
#ifndef BASE_SSH_H
#define BASE_SSH_H

#include "base/cloud.h"
#include "base/str.h"

struct redactor;

/* Where to log in, and as whom we must be received. */
struct ssh_target {
	struct str pod;		/* the cloud's id: one session per pod and
				   container start is kept and used again */
	struct str start;	/* container start (startedAt); may be absent */
	struct str host;
	uint16_t port;
	struct str user;	/* absent: root */
	struct str key;		/* path of a private key that the spec names;
				   absent: the project's, then the agent's */
	const struct str *pins;	/* "SHA256:…": the host key must have one of
				   these; none: first use, any key will do */
	size_t npins;
};

enum ssh_task {
	SSH_LOGIN,		/* log in and no more */
	SSH_RUN,		/* `script`, by /bin/sh, standard input empty */
	SSH_COPY,		/* local file or directory `from` to `to`, where
				   an older copy may be: a directory that is
				   there is renewed, not copied into */
	SSH_PROCESS,		/* keep `script` running: supervised, restarted
				   with backoff, output to `log`; an older one
				   of that name is ended first */
	SSH_RUNNER_INSTALL,	/* the runner package is unpacked, its digest
				   checked; fetched by the pod, or copied from
				   the local file `from` where that fails */
	SSH_RUNNER_START,	/* place its configuration, start it */
	SSH_RUNNER_LOOK,	/* is a listener, is a worker alive? */
	SSH_RUNNER_STOP,	/* end the listener and remove its files; does
				   nothing while a worker is alive */
	SSH_TASK_COUNT
};

struct runner_package {
	struct str version;	/* "2.336.0" */
	struct str url, filename;
	struct str sha256;	/* hex; absent: the service gave none */
	struct str token;	/* for the download, secret; absent: none */
};

/* SSH_RUNNER_*: what there is to know about one runner. */
struct ssh_runner {
	struct str name;	/* at GitHub; also its directory on the pod */
	struct runner_package package;
	/*
	 * Start: either a JIT configuration (base64, as GitHub gave it) or
	 * what config.sh needs.  Both are secrets: they travel on standard
	 * input and are never arguments.
	 */
	struct str jit;
	struct str url, registration_token, labels, group;
	bool ephemeral;
	bool pinned;			/* it does not update itself; GitHub
					   decides that of a JIT one */
	bool no_user;		/* run as root (RUNNER_ALLOW_RUNASROOT) even
				   where a user could be made */
};

struct ssh_request {
	enum ssh_task task;
	struct ssh_target target;
	struct str name;	/* what it is for: "setup 2", "check 1",
				   "process"; [a-z0-9 ] only.  SSH_RUN of a
				   "setup" first ends what an earlier one
				   has left running on the pod */
	struct str script;	/* of sh; secrets are filled in */
	const struct env_var *env;	/* exported before it */
	size_t nenv;
	struct str from, to;	/* copy */
	struct str log;		/* of a process: path on the pod, or absent */
	struct str keep;	/* local file to which output is appended
				   (0600), under a line with `name` and the
				   time, 16 MiB of it at most; absent: none */
	struct redactor *redactor; /* of what is kept; or NULL.  Shared with
				   the caller, by redactor_share(). */
	struct ssh_runner runner;
	int64_t timeout_ms;	/* for all of it, the login included */
	size_t max_output;	/* bytes of output that are kept, the last
				   ones; 0: 64 KiB */
};

enum ssh_outcome {
	SSH_DONE,		/* it ran to its end: see status */
	SSH_UNREACHABLE,	/* no connection now: nothing ran */
	SSH_DENIED,		/* no key of ours is accepted: nothing ran */
	SSH_WRONG_HOST_KEY,	/* not the pinned one: nothing was sent */
	SSH_UNUSABLE,		/* it offers nothing that we speak */
	SSH_LOST,		/* the connection broke when it had begun:
				   nobody knows how it ended */
	SSH_TIMED_OUT,		/* likewise, and we gave up */
	SSH_LOCAL,		/* a file or a limit of this machine */
};

/*
 * SSH_RUNNER_INSTALL without `from`: the exit status that says that the pod
 * cannot fetch the package itself, so that somebody has to copy it there.
 */
enum { SSH_STATUS_CANNOT_FETCH = 69 };
/* SSH_RUNNER_*: a worker is alive there, so nothing was done. */
enum { SSH_STATUS_HAS_JOB = 75 };

/* SSH_RUNNER_START: its listener never listened, so it never had a job. */
enum { SSH_STATUS_NEVER_LISTENED = 68 };

struct ssh_answer {
	enum ssh_outcome outcome;
	int status;		/* exit status; -1 where it ended without one
				   or by a signal, which is no success */
	struct str output;	/* its last bytes, both streams as they came */
	uint64_t output_bytes;	/* of all */
	struct str reason;	/* when not SSH_DONE; for people */
	struct str fingerprint;	/* "SHA256:…" of the host key that was seen,
				   absent if none was */
	/* SSH_RUNNER_LOOK, of status 0. */
	bool listener, worker;	/* processes are alive */
	struct str line;	/* last line of its log that means something */
};

const char *ssh_task_words(enum ssh_task task);	/* "start the runner" */

#endif
