/*
 * ssh.h - podform's side of SSH: sessions, and what is done through them.
 *
 * An edge.  One worker process (cmd/podform-ssh) per pod speaks SSH; here
 * are the processes, the connections, the keys and the trust.  Everything is
 * non-blocking and on one thread: descriptors are in one epoll set of our
 * own, which the caller waits for (ssh_fd, ssh_next_ms) and turns
 * (ssh_turn).  Callbacks are called from ssh_turn() alone, never from the
 * call that starts something; from a callback anything may be called but
 * ssh_free() and ssh_turn().
 *
 * A session belongs to a pod and a container start (ssh_target) and is kept
 * as long as somebody uses it, and IDLE_MS more; a second task on it costs
 * no login.  At most max_sessions exist; others wait.  At most 10 log in to
 * one host at once (sshd's MaxStartups), and a channel that the server
 * refuses because of MaxSessions is tried again when another has ended.
 */
#ifndef SSH_SSH_H
#define SSH_SSH_H

#include "base/seams.h"
#include "base/ssh.h"
#include "base/tunnel.h"
#include "ssh/keys.h"

struct ssh;

struct ssh_config {
	const char *worker;		/* path of podform-ssh */
	const struct clock *clock;
	struct ssh_keys *keys;		/* borrowed */
	size_t max_sessions;		/* 0: 50 */
	int64_t login_ms;		/* 0: 30 s, connecting included */
	int64_t idle_ms;		/* 0: 5 s; -1: until ssh_free() */
	/* Public keys of hosts that have the right one, before the login;
	 * may be NULL.  blob is the raw key of RFC 4253. */
	void (*host_key)(void *ctx, const struct ssh_target *target,
	    struct str blob, struct str fingerprint);
	/* For --verbose: what goes on.  No secret.  May be NULL. */
	void (*trace)(void *ctx, struct str line);
	void *ctx;
};

/* Cheap: the worker is started with the first session. */
struct ssh *ssh_new(const struct ssh_config *config);
/* Ends all workers; what was open is cut off.  Takes up to 2 s when scripts of
 * cancelled tasks are to end on pods. */
void ssh_free(struct ssh *ssh);

int ssh_fd(const struct ssh *ssh);		/* to be polled for reading */
int64_t ssh_next_ms(const struct ssh *ssh);	/* monotonic; -1 never */
void ssh_turn(struct ssh *ssh);
/* The machine slept: nothing that was connected is believed any more. */
void ssh_suspended(struct ssh *ssh);

/* --------------------------------------------------------------- tasks -- */

/*
 * A task of base/ssh.h; done() gets the answer, whose strs live until it
 * returns.  Returns a number for ssh_cancel().  The request is copied.
 */
uint64_t ssh_start_task(struct ssh *ssh, const struct ssh_request *request,
    void (*done)(void *ctx, const struct ssh_answer *answer), void *ctx);
/* No callback comes any more.  The script of a task is ended on its pod, by
 * TERM and then KILL; the command of an exec may go on, and a file that is
 * half there may stay. */
void ssh_cancel(struct ssh *ssh, uint64_t number);

/* A session will be wanted soon: what takes time and no network is done. */
void ssh_warm_up(struct ssh *ssh);

/* --------------------------------------------------------------- exec --- */

/*
 * A command with streams, for `exec` and `logs`.  Callbacks: output in
 * pieces (stream 1 or 2), then end() once: with SSH_DONE and a status as the
 * remote shell gave it (-1 and the signal's name in reason when it was
 * killed), or why not.
 */
struct ssh_exec_calls {
	void (*output)(void *ctx, int stream, struct str bytes);
	void (*end)(void *ctx, const struct ssh_answer *answer);
	/* More input is welcome (ssh_exec_input took less than all). */
	void (*writable)(void *ctx);
};
uint64_t ssh_exec(struct ssh *ssh, const struct ssh_target *target,
    struct str command, const struct ssh_exec_calls *calls, void *ctx);
/* Give it input: how many bytes were taken (0: wait for writable()). */
size_t ssh_exec_input(struct ssh *ssh, uint64_t number, struct str bytes);
void ssh_exec_input_end(struct ssh *ssh, uint64_t number);
/*
 * End what runs on the pod: the commands of this session (a process group
 * each) get the signal ("INT"); what is left of them gets TERM 10 s later
 * and KILL after 5 s more, whatever becomes of us.  With "KILL" that is all.
 * end() comes when they have ended.  False: nothing runs there yet.
 */
bool ssh_exec_stop(struct ssh *ssh, uint64_t number, const char *signal);

/* --------------------------------------------------------------- copy --- */

struct ssh_copy_calls {
	/* bytes of total; the path of the file in progress. */
	void (*progress)(void *ctx, struct str path, uint64_t bytes,
	    uint64_t total);
	/* SSH_DONE and status 0: all of it is there and was verified by size
	 * and digest.  SSH_DONE and status 1: what is on the pod does not
	 * allow it (no such file, permission, a full disk); see reason. */
	void (*end)(void *ctx, const struct ssh_answer *answer);
};
/*
 * Copy a file or a directory with all that is in it.  Modes are kept; links
 * below what was named are not followed but left out (and named in
 * answer.output).  Each file is written beside its name and renamed when it
 * is whole; one that stays half is removed.  As with cp, what is copied to a
 * directory, or to a name that ends in a slash, goes into it; a directory
 * copied to a name that is not there becomes that.
 */
uint64_t ssh_copy_to(struct ssh *ssh, const struct ssh_target *target,
    struct str local, struct str remote, const struct ssh_copy_calls *calls,
    void *ctx);
/*
 * The same, to be done again and again: a directory that is copied to one
 * that is there renews what is in it and does not go inside.
 */
uint64_t ssh_copy_onto(struct ssh *ssh, const struct ssh_target *target,
    struct str local, struct str remote, const struct ssh_copy_calls *calls,
    void *ctx);
uint64_t ssh_copy_from(struct ssh *ssh, const struct ssh_target *target,
    struct str remote, struct str local, const struct ssh_copy_calls *calls,
    void *ctx);

/*
 * Stop it: a file that is half there is removed, then end() comes with
 * SSH_LOST, within 2 s.  False: nothing is there yet.
 */
bool ssh_copy_stop(struct ssh *ssh, uint64_t number);

/* --------------------------------------------------------------- links -- */

/*
 * A session that is held up for forwards, until ssh_link_close(); for the
 * holder of tunnels, which decides itself about trying again.
 */
struct ssh_link;

struct ssh_link_calls {
	/* The host key is the pinned one: logging in. */
	void (*authenticating)(void *ctx);
	void (*up)(void *ctx, struct str fingerprint);
	/* It is down, and the link is not to be used but for close. */
	void (*down)(void *ctx, enum ssh_outcome outcome, struct str reason);
	void (*rtt)(void *ctx, int64_t us);
	/* A forward listens (port: remote ones), or failed. */
	void (*forward)(void *ctx, uint32_t id, bool ok, uint16_t port,
	    struct str reason);
	void (*stats)(void *ctx, uint32_t id, uint64_t connections,
	    uint64_t bytes_in, uint64_t bytes_out);
};
struct ssh_link *ssh_link_open(struct ssh *ssh,
    const struct ssh_target *target, const struct ssh_link_calls *calls,
    void *ctx);
void ssh_link_close(struct ssh_link *link);
/*
 * Add a forward under a number of the caller's.  listener (local, dynamic)
 * stays the caller's: the worker gets a copy, so that a new session can take
 * over what waits on it.  For remote ones connections are made by us to
 * `host:port` of this machine.
 */
void ssh_link_forward(struct ssh_link *link, uint32_t id,
    const struct tunnel_config *config, int listener);
void ssh_link_unforward(struct ssh_link *link, uint32_t id);

#endif
