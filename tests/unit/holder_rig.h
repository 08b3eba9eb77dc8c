/*
 * holder_rig.h - one holder of tunnels, and all that it talks to, for its
 * tests.
 *
 * Effects become lines of text, events are given by small functions, and
 * tokens are remembered so that a test can say "the cloud answers".  Chance
 * always says the middle, so 1 s is 1 s.
 */
#ifndef TESTS_HOLDER_RIG_H
#define TESTS_HOLDER_RIG_H

#include "base/strbuf.h"
#include "tunnel/holder.h"

struct rig {
	struct holder *holder;
	struct strbuf seen;
	int64_t now_ms, wall_ms;
	uint64_t ask, check;
	uint32_t link;
	bool auto_listen;		/* whatever is wanted is free */
	bool quiet;			/* keep nothing of what is seen */
};

static const char pin_a[] =
    "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
static const char pin_b[] =
    "SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";
#define START_1 "2026-01-01T10:00:00Z"
#define START_2 "2026-01-01T11:00:00Z"

void rig_give(struct rig *rig, struct holder_event event);
void rig_saw(struct rig *rig, const char *want);
void rig_skip(struct rig *rig);
/* Let time pass; the holder is woken exactly when it wants to be. */
void rig_pass(struct rig *rig, int64_t ms);
struct rig rig_new(void);
void rig_release(struct rig *rig);
struct holder_request rig_request(const char *address);
void rig_ask(struct rig *rig, uint64_t client,
    const struct holder_request *request);
void rig_link_says(struct rig *rig, enum holder_event_type type);
void rig_link_down(struct rig *rig, enum ssh_outcome outcome,
    const char *why);
void rig_forward_ok(struct rig *rig, uint32_t tunnel);
void rig_cloud_pod(struct rig *rig, enum pod_status status,
    const char *start, uint16_t port);
void rig_cloud_fails(struct rig *rig, enum cloud_outcome outcome,
    enum cloud_reason reason);
void rig_cloud_log(struct rig *rig, const char *text);
/* A tunnel that is up, with what led there forgotten. */
struct rig rig_up(void);

#endif
