/*
 * session_world.h - a session over a world that is played by run_world.h.
 *
 * The session asks a cloud and a GitHub whose answers are honest, or lies
 * that the test has scripted (run_lie, run_github_lie, run_ssh_lie); its disk
 * is a fake_fs, its time passes only while it waits.  What it does is written
 * down, a line each:
 *
 *	ask list pods
 *	github list runners
 *	ssh p1 runner look
 *	holder list
 *	cancel
 *	note: looking for ...
 *	sent create pod			config.sent was told
 *	store PUT /podform.lock
 */
#ifndef TESTS_SESSION_WORLD_H
#define TESTS_SESSION_WORLD_H

#include "model/depot.h"
#include "run/session.h"
#include "run_world.h"

struct play_call {			/* on its way */
	enum world_event_type type;
	uint64_t token;
	enum http_host host;
	struct cloud_request cloud;
	struct github_request github;
	struct ssh_request ssh;
	struct holder_request holder;
	struct http_request store;	/* of HOST_STORE, copied */
};

struct play_event {
	unsigned at;
	struct world_event event;
};

struct session_world {
	struct run_world r;		/* now_ms, spec, pods, runners, lies */
	struct world world;
	struct cloud cloud;
	struct github github;
	struct session_config config;
	struct session session;
	VEC_OF(struct play_call) waiting;
	VEC_OF(struct play_event) events;
	unsigned waits;			/* so far */
	uint8_t names;			/* of files, so far */
	int64_t max_wait_ms;		/* a wait is woken after that; 0 never */
	const char *environment;	/* value of every variable, or NULL */
	const char *command_says;	/* its output */
	int command_status;
	const char *fetch_fails;	/* why, or NULL */
	struct depot *depot;		/* keeps the record, or NULL */
	struct strbuf log;
};

/* For cmocka: a world for each test, which is its *state. */
int play_setup(void **state);
int play_teardown(void **state);

/* A session with that spec (NULL: none), opened.  Its lock is r.w.lock until
 * session_load() reads one. */
struct session *play_begin(struct session_world *s, const char *yaml);
/* The same with the mutex taken and an empty record on its disk read. */
struct session *play_begin_writing(struct session_world *s,
    const char *yaml);

/* From the next play_begin() on the record lives in a store of that kind. */
void play_store(struct session_world *s, const struct depot_config *config);

/* At the nth wait from here (from 1) this comes before anything else. */
void play_at(struct session_world *s, unsigned nth,
    struct world_event event);
void play_signal_at(struct session_world *s, unsigned nth, int number);

/* What was written since the last call, and all diagnostics so far. */
const char *play_said(struct session_world *s);
const char *play_report(struct session_world *s);
/* The report is "" (part NULL), or has that part. */
void play_reports(struct session_world *s, const char *part);
/* How often a part is in a text. */
size_t play_count(const char *text, const char *part);
/* An op number 7 that is open in r.w.lock: of pod.x, runner.x or volume.x. */
struct lock_op *play_pending(struct session_world *s, enum kind kind,
    enum op_action action);
/* Make the plan of an apply, which must succeed. */
const struct plan *play_plan(struct session_world *s);

#endif
