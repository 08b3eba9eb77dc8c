/*
 * crash_scenarios.h - how each scenario begins, what troubles it, and what
 * must have been done; the parts of the table in crash_scenarios.c.
 */
#ifndef TESTS_CRASH_SCENARIOS_H
#define TESTS_CRASH_SCENARIOS_H

#include "crash.h"

enum { A, B };
enum { A40_OR_A6000, L40S, A6000 };	/* as the stories' gpus */
enum { TERMINATE = 1, STOP = 2 };	/* on_failure */

struct tale_pod *crash_want(struct crash *crash, unsigned which,
    unsigned replicas);
struct tale_guest *crash_guest_of(struct crash *crash, unsigned which);
/* The spec is edited. */
void crash_edited(struct crash *crash);
void crash_with_volume(struct crash *crash, unsigned which);
/* A pod with everything that is done in one. */
void crash_want_guests(struct crash *crash);
const struct model_pod *crash_pod_of(const struct crash *crash,
    const char *address);
size_t crash_billed(const struct crash *crash);
size_t crash_volumes(const struct crash *crash);
/* How often it was done by the command; *at: when first, as a place. */
size_t crash_done(const struct crash *crash, enum model_op op, size_t *at);
const char *crash_unless(bool ok, const char *why);
void crash_before_one(struct crash *crash);
const char *crash_did_create_one(const struct crash *crash);
void crash_before_five(struct crash *crash);
const char *crash_did_create_five(const struct crash *crash);
void crash_before_volume(struct crash *crash);
const char *crash_did_create_volume(const struct crash *crash);
const char *crash_did_create_guests(const struct crash *crash);
/* The first GPU is refused, in whatever cloud. */
void crash_before_candidates(struct crash *crash);
void crash_refuse(struct crash *crash, int64_t nth, enum model_fault fault,
    int status);
void crash_trouble_candidates(struct crash *crash);
const char *crash_did_candidates(const struct crash *crash);
void crash_trouble_stock_out(struct crash *crash);
const char *crash_did_stock_out(const struct crash *crash);
void crash_before_create_first(struct crash *crash);
const char *crash_did_create_first(const struct crash *crash);
void crash_before_delete_first(struct crash *crash);
const char *crash_did_delete_first(const struct crash *crash);
void crash_before_update(struct crash *crash);
const char *crash_did_update(const struct crash *crash);
void crash_before_scale_up(struct crash *crash);
const char *crash_did_scale_up(const struct crash *crash);
void crash_before_scale_down(struct crash *crash);
const char *crash_did_scale_down(const struct crash *crash);
const char *crash_did_roll_back(const struct crash *crash);
void crash_trouble_refused(struct crash *crash);
const char *crash_did_roll_back_volume(const struct crash *crash);
/* Two pods on one volume: what becomes of the first nobody says, and the
 * second one is refused. */
void crash_before_shared(struct crash *crash);
void crash_trouble_unknown(struct crash *crash);
const char *crash_did_roll_back_unknown(const struct crash *crash);
void crash_trouble_stuck(struct crash *crash);
void crash_before_check(struct crash *crash);
void crash_before_setup(struct crash *crash);
void crash_before_process(struct crash *crash);
/* What the user's steps have touched is not thrown away. */
void crash_before_setup_stops(struct crash *crash);
const char *crash_did_stop(const struct crash *crash);
void crash_trouble_inside(struct crash *crash);
void crash_before_guests(struct crash *crash);
void crash_trouble_registration(struct crash *crash);
void crash_trouble_port(struct crash *crash);
/* A replacement that creates first is undone: the old one has its place. */
const char *crash_did_roll_back_replacement(const struct crash *crash);
int64_t crash_wall(const struct crash *crash);
void crash_before_stopped(struct crash *crash);
const char *crash_did_start(const struct crash *crash);
void crash_before_gone(struct crash *crash);
void crash_before_renamed(struct crash *crash);
void crash_before_image(struct crash *crash);
void crash_before_disk(struct crash *crash);
void crash_before_env(struct crash *crash);
const char *crash_did_update_again(const struct crash *crash);
void crash_before_volume_gone(struct crash *crash);
void crash_before_destroy(struct crash *crash);
void crash_before_destroy_volume(struct crash *crash);
const char *crash_did_destroy(const struct crash *crash);
void crash_before_destroy_guests(struct crash *crash);
void crash_before_busy_destroy(struct crash *crash);
void crash_before_busy_replace(struct crash *crash);
/* The job was running when the command came, and ended by itself. */
const char *crash_did_wait_for_job(const struct crash *crash);

#endif
