/*
 * sim.h - podform-sim: the model of RunPod behind real HTTP.
 *
 * Two threads.  The server's thread (libmicrohttpd) serves requests; the main
 * thread looks after time: delayed answers, containers, signals.  The model
 * is behind one mutex, held for one request or one turn, never while
 * anything waits.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <pthread.h>

#include "model/model.h"

enum sim_pods {
	SIM_PODS_NONE,		/* addresses that nobody listens on */
	SIM_PODS_TCP,		/* a listener that says an SSH banner */
	SIM_PODS_SANDBOX,	/* bubblewrap and a real sshd */
};

struct sim_options {
	const char *listen;		/* "127.0.0.1:0" */
	const char *port_file, *account_file, *preload_file, *log_file;
	const char *github_token;
	struct model_config model;
	enum sim_pods pods;
	int64_t speed;			/* service seconds per real second */
	int64_t idle_exit_ms;		/* 0: never */
	int parent_pid;			/* 0: none */
	const char *capacity[16];	/* "GPU=N" */
	size_t ncapacity;
};

enum { SIM_SPEED_MAX = 1000000 };

/* The service's clock: wall time at the start, then `speed` times real. */
struct sim_clock {
	int64_t base_model_ms, base_mono_ms, speed;
};

struct sim_containers;
struct sim_server;
struct sim_github;
struct hub;

struct sim {
	const struct sim_options *options;
	pthread_mutex_t lock;		/* model, hub, clock */
	struct model *model;
	struct hub *hub;		/* GitHub */
	struct sim_github *github;
	struct sim_clock clock;
	struct sim_containers *containers;
	struct sim_server *server;
	int wake_fd;			/* eventfd: the main thread has work */
	int log_fd;			/* -1: none */
	_Atomic bool quit;
	_Atomic int64_t last_request_ms;
};

int64_t sim_mono_ms(void);
int64_t sim_now(const struct sim *sim);		/* the service's time */
void sim_set_speed(struct sim *sim, int64_t speed);
void sim_skip(struct sim *sim, int64_t ms);	/* let time pass at once */
void sim_wake(struct sim *sim);
/* The account of RunPod with GitHub's in it. */
struct str sim_report(struct sim *sim, struct arena *arena);
/* Write the account report; false with errno. */
bool sim_write_account(struct sim *sim);

/* options.c: false when the program is to end with *status. */
bool sim_parse_options(int argc, char **argv, struct sim_options *options,
    int *status);

#endif
