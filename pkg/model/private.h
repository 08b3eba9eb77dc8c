/*
 * private.h - what the files of the model share among themselves and with
 * nobody else.  See state.h for what its front ends may use.
 */
#ifndef MODEL_PRIVATE_H
#define MODEL_PRIVATE_H

#include "model/state.h"

void model_rng_seed(struct model_rng *rng, uint64_t seed);

/* Days from 1970 to a date; RFC 3339 with Z or an offset. */
int64_t model_days(int64_t year, int64_t month, int64_t day);
bool model_parse_time(struct str text, int64_t *ms);

/* money.c: bill up to now; begin the rates that the state asks for. */
void model_money_settle(struct model *model);
int64_t model_money_empty_at(const struct model *model); /* -1 never */
void model_money_pod(struct model *model, struct model_pod *pod);
void model_money_volume(struct model *model, struct model_volume *volume);
/* Cost of intervals between two times. */
int64_t model_bills_between(const struct model_interval *bills, size_t n,
    int64_t from_ms, int64_t to_ms, int64_t *compute, int64_t *storage);

/* timers.c */
void model_timer_set(struct model *model, struct model_pod *pod,
    int64_t at_ms);
void model_timer_clear(struct model_pod *pod);
int64_t model_timer_next(struct model *model);	/* -1 none */
struct model_pod *model_timer_take(struct model *model, int64_t at_ms);

/* lifecycle.c */
void model_pod_timer(struct model *model, struct model_pod *pod);
void model_pod_begin_container(struct model *model, struct model_pod *pod,
    int64_t delay_ms);
void model_pod_end_container(struct model *model, struct model_pod *pod);
void model_pod_exits(struct model *model, struct model_pod *pod,
    enum model_actor actor, const char *words);
void model_pod_words(struct model *model, struct model_pod *pod,
    const char *words);
void model_broke(struct model *model);
void model_record(struct model *model, enum model_op op,
    enum model_actor actor, struct str id);

/* pod_log.c: what the log says as a container begins, and is up. */
void model_pod_log_begin(struct model *model, struct model_pod *pod);
void model_pod_log_up(struct model *model, struct model_pod *pod);

/* rest_templates.c */
void model_official_templates(struct model *model);

/* http.c, pending.c: requests whose effect comes later. */
int64_t model_pending_next(const struct model *model);	/* -1 none */
void model_pending_add(struct model *model, int64_t at_ms,
    const struct model_request *request);
void model_pending_run(struct model *model);
/* Serve a request without keys, quotas and faults. */
void model_serve(struct model *model, struct arena *arena,
    const struct model_request *request, struct model_reply *reply);

/* placement.c */
struct model_offer {
	const struct model_place *place;
	bool community;
};
bool model_place_pod(struct model *model, const struct model_create *want,
    const struct model_gpu *gpu, const struct model_volume *volume,
    struct model_offer *offer, struct model_refusal *why);
void model_take_gpus(struct model *model, struct model_pod *pod);
void model_release_gpus(struct model *model, struct model_pod *pod);

/* pods.c */
struct model_pod *model_pod_new(struct model *model,
    const struct model_create *want, const struct model_offer *offer);
void model_pod_begin_again(struct model *model, struct model_pod *pod);

/* ports.c */
void model_copy_ports(struct model *model, struct model_pod *pod,
    const struct str *ports, size_t n);
struct model_env *model_copy_env(struct model *model,
    const struct model_env *env, size_t n);
void model_map_ports(struct model *model, struct model_pod *pod);
bool model_ports_mapped(const struct model_pod *pod, int64_t now_ms);

bool model_refuse(struct model_refusal *why, enum model_refusal_kind kind,
    const char *detail);

#endif
