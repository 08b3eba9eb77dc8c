/* containers.c - see containers.h: orders from the model, TCP listeners. */
#include "containers.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GUESTS = 64 };

struct container {
	struct str pod_id;		/* the model's */
	int64_t start_number;
	int listener;			/* -1: none */
	struct container *next;
};

struct sim_containers {
	struct sim *sim;
	struct container *list;
	int epoll;
	/* Clients that were greeted; the oldest is closed for the newest. */
	int guests[GUESTS];
	size_t nguests;
};

struct sim_containers *
containers_new(struct sim *sim)
{
	struct sim_containers *containers = calloc(1, sizeof *containers);

	if (containers == NULL)
		fail_out_of_memory();
	containers->sim = sim;
	containers->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < GUESTS; i++)
		containers->guests[i] = -1;
	return containers;
}

int
containers_fd(const struct sim_containers *containers)
{
	return containers->epoll;
}

static void
end_container(struct container *container)
{
	if (container->listener >= 0)
		close(container->listener);
	free(container);
}

void
containers_free(struct sim_containers *containers)
{
	if (containers == NULL)
		return;
	while (containers->list != NULL) {
		struct container *first = containers->list;
		containers->list = first->next;
		end_container(first);
	}
	for (size_t i = 0; i < GUESTS; i++)
		if (containers->guests[i] >= 0)
			close(containers->guests[i]);
	close(containers->epoll);
	free(containers);
}

/* A listener on a free port of 127.0.0.1; its port, 0 if there is none. */
static uint16_t
open_listener(struct sim_containers *containers, struct container *container)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof address;
	struct epoll_event event = { .events = EPOLLIN };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);

	if (fd < 0)
		return 0;
	event.data.fd = fd;
	if (bind(fd, (struct sockaddr *)&address, length) < 0 ||
	    listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) < 0 ||
	    epoll_ctl(containers->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		close(fd);
		return 0;
	}
	container->listener = fd;
	return ntohs(address.sin_port);
}

static bool
wants_ssh(const struct model_pod *pod, size_t *at)
{
	for (size_t i = 0; i < pod->nports; i++)
		if (pod->ports[i].inside == 22 && pod->ports[i].tcp) {
			*at = i;
			return true;
		}
	return false;
}

static void
start(struct sim_containers *containers, const struct model_effect *effect)
{
	struct container *container = calloc(1, sizeof *container);
	const struct model_pod *pod = effect->pod;
	struct sim *sim = containers->sim;
	uint16_t outside[64] = {0};
	size_t at = 0;
	bool ssh = wants_ssh(pod, &at) && at < COUNTOF(outside);

	if (container == NULL)
		fail_out_of_memory();
	container->pod_id = pod->id;
	container->start_number = effect->start_number;
	container->listener = -1;
	container->next = containers->list;
	containers->list = container;
	if (ssh && (outside[at] = open_listener(containers, container)) == 0) {
		model_container_down(sim->model, sim_now(sim), pod->id,
		    effect->start_number);
		return;
	}
	model_container_up(sim->model, sim_now(sim), pod->id,
	    effect->start_number, STR("127.0.0.1"), outside,
	    COUNTOF(outside));
}

static void
stop(struct sim_containers *containers, const struct model_effect *effect)
{
	struct container **at = &containers->list;

	while (*at != NULL) {
		struct container *container = *at;
		if (str_eq(container->pod_id, effect->pod->id) &&
		    container->start_number == effect->start_number) {
			*at = container->next;
			end_container(container);
			return;
		}
		at = &container->next;
	}
}

/* Say the banner and let the client read it before the socket closes. */
static void
greet(struct sim_containers *containers, int listener)
{
	static const char banner[] = "SSH-2.0-podform-sim\r\n";
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int *slot = &containers->guests[containers->nguests++ % GUESTS];

	if (fd < 0)
		return;
	if (write(fd, banner, sizeof banner - 1) > 0)
		shutdown(fd, SHUT_WR);
	if (*slot >= 0)
		close(*slot);
	*slot = fd;
}

int64_t
containers_turn(struct sim_containers *containers)
{
	struct sim *sim = containers->sim;
	struct epoll_event events[64];
	struct model_effect effect;
	int64_t next;
	int n;

	pthread_mutex_lock(&sim->lock);
	model_advance(sim->model, sim_now(sim));
	while (model_next_effect(sim->model, &effect)) {
		if (effect.type == MODEL_START_CONTAINER)
			start(containers, &effect);
		else
			stop(containers, &effect);
	}
	next = model_next_event(sim->model);
	if (next >= 0) {
		next -= sim_now(sim);
		next = next < 0 ? 0 : next / sim->clock.speed + 1;
	}
	pthread_mutex_unlock(&sim->lock);
	n = epoll_wait(containers->epoll, events, COUNTOF(events), 0);
	for (int i = 0; i < n; i++)
		greet(containers, events[i].data.fd);
	return next;
}
