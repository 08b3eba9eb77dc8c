/*
 * pod_request.c - the pod that a request is about, and what its client knows
 * of it: where it is, of which start, and with which key.
 */
#include "tunnel/held.h"

#include "base/units.h"

static bool
has_pin(const struct held_pod *pod, struct str pin)
{
	for (size_t i = 0; i < pod->npins; i++)
		if (str_eq(held_str(&pod->pins[i]), pin))
			return true;
	return false;
}

/* Is start b later than a?  Where one is not known, it is not. */
static bool
is_later(struct str a, struct str b)
{
	int64_t a_ms, b_ms;

	return a.data != NULL && b.data != NULL && parse_time(a, &a_ms) &&
	    parse_time(b, &b_ms) && b_ms > a_ms;
}

static void
take_known(struct holder *holder, struct held_pod *pod,
    const struct holder_request *request)
{
	pod_started(holder, pod, request->start);
	if (request->pin.len > 0 && !has_pin(pod, request->pin)) {
		held_set(&pod->pins[0], request->pin);
		pod->npins = 1;
		pod->first_use = false;
	}
	if (request->ssh.port != 0) {
		held_set(&pod->host, request->ssh.host);
		pod->port = request->ssh.port;
		pod->known_ms = holder->now_ms;
	}
}

/*
 * Does the client know better?  It has seen a later start, another pin for
 * the same, or, while no link is up, where the pod is.
 */
static bool
knows_better(const struct held_pod *pod,
    const struct holder_request *request)
{
	bool down = pod->link == 0;

	if (is_later(held_str(&pod->start), request->start))
		return true;
	if (request->start.len > 0 && pod->start.len > 0 &&
	    !str_eq(held_str(&pod->start), request->start))
		return false;
	if (request->pin.len > 0 && !has_pin(pod, request->pin))
		return true;
	return down && request->ssh.port != 0 &&
	    pod->phase != LINK_CONFLICT;
}

static struct held_pod *
new_pod(struct holder *holder, const struct tunnel_config *config,
    struct str user)
{
	struct held_pod *pod = heap_array(NULL, 1, sizeof *pod);

	*pod = (struct held_pod){ .next = holder->pods, .known_ms = -1,
		.due_ms = -1, .rtt_us = -1, .phase = LINK_ASKING };
	held_set(&pod->id, config->pod_id);
	held_set(&pod->user, user);
	held_set(&pod->key, config->key);
	holder->pods = pod;
	return pod;
}

struct held_pod *
pod_of_request(struct holder *holder, const struct holder_request *request)
{
	const struct tunnel_config *config = &request->config;
	struct str user = config->user.len > 0 ? config->user :
	    request->ssh.user;
	struct held_pod *pod = holder->pods;

	while (pod != NULL && (!str_eq(held_str(&pod->id), config->pod_id) ||
	    !str_eq(held_str(&pod->user), user) ||
	    !str_eq(held_str(&pod->key), config->key)))
		pod = pod->next;
	if (pod == NULL) {
		pod = new_pod(holder, config, user);
		take_known(holder, pod, request);
		pod_begin(holder, pod);
	} else if (knows_better(pod, request)) {
		take_known(holder, pod, request);
		pod_begin(holder, pod);
	}
	return pod;
}
