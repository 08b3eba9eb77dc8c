/*
 * guests.h - what lives in the simulated pods and around them: containers
 * with their setup, processes and runners; GitHub (pkg/model/github.h); the
 * holder of tunnels, which is the real machine of pkg/tunnel in virtual time.
 *
 *	containers.c	containers, their ends, and faults
 *	inside.c	the tasks that are done in them
 *	hub.c		GitHub: requests as bytes, jobs, people
 *	holder.c	the holder's process: its machine, effects and time
 *	links.c		its links, and the ends of its tunnels
 *	guest_spec.c	what the spec says of all that
 *	guest_checks.c	what has to hold of it
 *
 * A container is one start of a pod: another start is empty, has another
 * host key, and what ran in the one before is gone.
 */
#ifndef SIMULATION_GUESTS_H
#define SIMULATION_GUESTS_H

#include "model/github.h"
#include "sim.h"

/* Faults of chaos beside those of the cloud; names as in the threat model. */
enum guest_fault {
	GUEST_REFUSED,		/* F50: no connection */
	GUEST_SILENT,		/* F50: connected, and nothing comes */
	GUEST_WRONG_KEY,	/* F51: another host answers there */
	GUEST_DENIED,		/* F52: no key is accepted */
	GUEST_VANISHED,		/* F53: the connection is lost half-way */
	GUEST_HALF_OPEN,	/* F53: a link dies and nobody says so */
	GUEST_STUCK,		/* F54: it never ends */
	GUEST_HOSTILE,		/* F55: it says what it likes */
	GUEST_PORT,		/* F56: somebody has the local port */
	GUEST_TOKEN,		/* F60: the registration token has expired */
	GUEST_OFFLINE,		/* F61: the listener dies, the pod lives on */
	GUEST_UNREGISTERED,	/* F61: people delete a runner at GitHub */
	GUEST_STEP,		/* a step, check or process of the user fails */
	GUEST_NO_FETCH,		/* the pod cannot fetch the package */
	GUEST_HOLDER,		/* the holder is killed */
	GUEST_RESTART,		/* F14: a container is started anew while
				   something is done in it */
	GUEST_SLEEP,		/* F17: the machine sleeps, and links die */
	GUEST_DONE,		/* F64: an ephemeral runner had its job */
	GUEST_FAULT_COUNT
};
const char *guest_fault_name(enum guest_fault fault);

enum { STEPS = 4, RUNNERS = 6, CONTAINERS = 512, LINKS = 64, TUNNELS = 64,
	TIMERS = 512 };

/* A runner's directory in a container. */
struct in_runner {
	char name[72];
	char version[16];
	int64_t id;			/* at GitHub, once started; 0 */
};

/* One start of a pod's container. */
struct container {
	char pod[40];
	int64_t start;			/* model_pod.start_number */
	bool over;
	bool saved;			/* what backup.check says */
	bool lied;			/* said idle, and had a job */
	uint64_t refused;		/* command in which backup.check said
					   no; 0 */
	int64_t ready_ms;		/* its checks succeed from then on */
	unsigned checks;		/* that have succeeded */
	uint64_t steps[STEPS];		/* digests of what was done last; 0 */
	uint64_t settled[STEPS];	/* recorded when an apply exited 0 */
	uint64_t process;
	struct in_runner runners[RUNNERS];
};

/* A task on its way to a pod, and its answer. */
struct guest_task {
	struct arena arena;
	struct ssh_request request;
	struct ssh_answer answer;
	char pod[40];			/* in which it ran; "" in none */
	int64_t start;
	unsigned struck;		/* by this fault, + 1; 0: as chance
					   wants */
};

/* What the spec wants of guests: beside struct wanted. */
struct wanted_inside {
	char address[64];
	uint64_t steps[STEPS];
	size_t nsteps;
	uint64_t process;
	bool checks;
};
struct wanted_runner { char base[64], pod[64]; bool organization; };
struct wanted_tunnel { char address[64], pod[64]; uint16_t port; bool reverse; };

struct wants {
	struct wanted_inside inside[16];
	struct wanted_runner runners[16];
	struct wanted_tunnel tunnels[16];
	size_t ninside, nrunners, ntunnels;
};

/* The holder's process. */
struct held_link {
	uint32_t number;		/* 0: a free place */
	char host[64], pod[40];
	uint16_t port;
	int64_t start;
	bool up, silent;
	int64_t ping_ms;
};
struct held_end {
	uint32_t tunnel;		/* 0: a free place */
	char address[64], pod[40];
	uint16_t port;			/* local; 0: none of its own */
	bool listens;
	uint32_t link;			/* on which it is forwarded; 0 */
};
enum timer_type { TIMER_LOGIN, TIMER_UP, TIMER_DOWN, TIMER_FORWARD,
	TIMER_CHECK };
struct held_timer {
	int64_t at_ms;			/* -1: a free place */
	uint64_t number;
	enum timer_type type;
	uint32_t link, tunnel;
	uint64_t token;
	enum ssh_outcome outcome;
	bool ok;
};
struct guests {
	bool any;			/* this story has guests */
	struct rng rng;
	uint16_t per_mille[GUEST_FAULT_COUNT];
	unsigned striking;		/* a fault that is certain now, + 1 */
	int64_t fired[GUEST_FAULT_COUNT];
	struct hub *hub;
	bool log_shows_keys;
	struct container containers[CONTAINERS];
	size_t ncontainers;

	int64_t next_job_ms;		/* -1: none */
	int64_t next_people_ms;		/* somebody does something; -1: never */
	size_t hub_log_at;
		bool forced;			/* --force-runners: jobs may die */
	int64_t lost_ms;		/* when a machine was lost; -1 */

	struct holder *holder;
	struct held_link links[LINKS];
	struct held_end ends[TUNNELS];
	struct held_timer timers[TIMERS];
	size_t ntimers;
	uint64_t number;
	uint16_t taken_port;		/* by another program; 0 */
	bool held_once;			/* a holder was started here */
	bool turning;			/* effects are being carried out */

	struct wants wants;
};

/* What the spec of one pod of the tale says of guests. */
struct tale_guest {
	unsigned checks, nsteps, steps[STEPS], process, timeout;
	bool copies, backup, stopped;
	unsigned on_failure;		/* 0: as it is */
	unsigned runner;		/* 0 none, 1 ephemeral, 2 persistent */
	unsigned label;
	bool organization;
	bool tunnel, check, dynamic, reverse;
	unsigned remote;
};

/* guest_spec.c */
void guest_begin(struct sim *sim, bool quiet);
void guest_invent(struct sim *sim, struct tale_guest *guest);
void guest_edit(struct sim *sim, struct tale_guest *guest);
/* Below a pod, for each pod; then below all. */
void guest_write_pod(struct sim *sim, struct strbuf *out, unsigned number,
    unsigned replicas, const struct tale_guest *guest);
void guest_write_rest(struct sim *sim, struct strbuf *out,
    const struct tale_guest *guests, const unsigned *replicas, size_t n);
extern const char *const guest_pods[];

/* containers.c, inside.c */
void guests_init(struct sim *sim);
void guests_release(struct sim *sim);
bool guest_strikes(struct sim *sim, enum guest_fault fault);
void inside_start_ssh(void *sim, uint64_t token,
    const struct ssh_request *request);
void inside_start_fetch(void *sim, uint64_t token,
    const struct fetch_request *request);
void inside_arrive(struct sim *sim, struct sim_flight *flight);
/* The answer as it is delivered: the container may have ended meanwhile. */
void inside_answer(struct sim *sim, struct arena *arena,
    struct sim_flight *flight, struct world_event *event);
void inside_task_free(struct guest_task *task);
/* Containers that have ended since; jobs that were running in them. */
void inside_sync(struct sim *sim);
struct container *container_of(struct sim *sim, const struct model_pod *pod);
/* The pod whose SSH server answers there now, or NULL. */
const struct model_pod *pod_at(struct sim *sim, struct str host,
    uint16_t port);
uint64_t step_digest(struct str text);

/* hub.c */
void hub_arrive(struct sim *sim, struct sim_flight *flight,
    struct arena *arena, struct model_reply *reply);
int64_t hub_next_ms(const struct sim *sim);
void hub_turn(struct sim *sim);
bool hub_is_restless(const struct sim *sim);
void hub_calm(struct sim *sim);

/* holder.c */
void hold_start(void *sim, uint64_t token,
    const struct holder_request *request);
void hold_arrive(struct sim *sim, struct sim_flight *flight);
void hold_answer(struct sim *sim, struct arena *arena,
    struct sim_flight *flight, struct world_event *event);
/* An answer of the cloud to the holder. */
void hold_cloud(struct sim *sim, struct sim_flight *flight);
void hold_hang_up(struct sim *sim, uint64_t client);
int64_t hold_next_ms(const struct sim *sim);
void hold_turn(struct sim *sim);
/* The machine has slept: all connections are dead. */
void hold_sleep(struct sim *sim);
/* The process dies: killed, or with its machine. */
void hold_kill(struct sim *sim);
int hold_may_listen(void *sim, struct arena *arena, struct str address,
    uint16_t port, struct str *owner);

/* All of them, for sim_world.c. */
int64_t guests_next_ms(const struct sim *sim);
void guests_turn(struct sim *sim);

/* guest_checks.c */
void check_task(struct sim *sim, const struct ssh_request *request);
void check_pins(struct sim *sim, const struct ssh_target *target);
void check_step(struct sim *sim, struct container *container, size_t step,
    uint64_t digest);
void check_jobs(struct sim *sim);
void check_guests_exit(struct sim *sim, int code, bool destroy);
void check_dead_ends(struct sim *sim);
void check_guests_settled(struct sim *sim, bool destroyed);

#endif
