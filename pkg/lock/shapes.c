/*
 * shapes.c - the members of the lock file and of journal records.
 *
 * Members of the lock are sorted by key, so that the file is; those of a
 * record begin with its type.
 */
#include "lock/fields.h"

#define AT(type_, key_, struct_, member) \
	.key = STR_INIT(key_), .type = type_, \
	.offset = offsetof(struct_, member)
#define SHAPE(words, table) \
	{ .what = words, .fields = table, .n = COUNTOF(table) }

static const char *const kinds[] = {
	[KIND_POD] = "pod", [KIND_RUNNER] = "runner",
	[KIND_TUNNEL] = "tunnel", [KIND_VOLUME] = "volume",
	[KIND_COUNT] = NULL,
};
static const char *const tiers[] = {
	[TIER_ANY] = "any", [TIER_SECURE] = "secure",
	[TIER_COMMUNITY] = "community", NULL,
};
static const char *const actions[] = {
	[OP_CREATE] = "create", [OP_UPDATE] = "update", [OP_START] = "start",
	[OP_STOP] = "stop", [OP_DELETE] = "delete", [OP_COUNT] = NULL,
};
static const char *const types[] = {
	[RECORD_BEGIN] = "begin", [RECORD_INTENT] = "intent",
	[RECORD_RESULT] = "result", [RECORD_END] = "end",
	[RECORD_FACT] = "fact", NULL,
};
static const char *const outcomes[] = {
	[OP_DONE] = "done", [OP_NONE] = "none", NULL,
};

#define POD(type, key, member) AT(type, key, struct pod_config, member)
static const struct lock_field pod_fields[] = {
	{ POD(FIELD_STR, "args", args) },
	{ POD(FIELD_CHOICE, "cloud", tier), .choices = tiers },
	{ POD(FIELD_STR, "data_center", data_center) },
	{ POD(FIELD_INT, "disk_gb", disk_gb) },
	{ POD(FIELD_ENV, "env", env),
	  .count = offsetof(struct pod_config, nenv) },
	{ POD(FIELD_STR, "gpu", gpu) },
	{ POD(FIELD_INT, "gpu_count", gpu_count) },
	{ POD(FIELD_STR, "image", image) },
	{ POD(FIELD_STR, "min_cuda", min_cuda) },
	{ POD(FIELD_STR, "name", name) },
	{ POD(FIELD_INT, "persistent_gb", persistent_gb) },
	{ POD(FIELD_STR, "persistent_path", persistent_path) },
	{ POD(FIELD_STRS, "ports", ports),
	  .count = offsetof(struct pod_config, nports) },
	{ POD(FIELD_STR, "volume_id", volume_id) },
	{ POD(FIELD_STR, "volume_path", volume_path) },
};
static const struct lock_shape pod_shape = SHAPE("pod", pod_fields);

#define VOLUME(type, key, member) AT(type, key, struct cloud_volume, member)
static const struct lock_field volume_fields[] = {
	{ VOLUME(FIELD_STR, "data_center", data_center) },
	{ VOLUME(FIELD_BOOL, "high_performance", high_performance) },
	{ VOLUME(FIELD_STR, "id", id) },
	{ VOLUME(FIELD_STR, "name", name) },
	{ VOLUME(FIELD_INT, "size_gb", size_gb) },
};
static const struct lock_shape volume_shape = SHAPE("volume", volume_fields);

#define INSIDE(type, key, member) AT(type, key, struct lock_inside, member)
static const struct lock_field inside_fields[] = {
	{ INSIDE(FIELD_BOOL, "checked", checked) },
	{ INSIDE(FIELD_STR, "host_key", host_key) },
	{ INSIDE(FIELD_STR, "host_key_by", host_key_by) },
	{ INSIDE(FIELD_STR, "process", process) },
	{ INSIDE(FIELD_STR, "start", start) },
	{ INSIDE(FIELD_STRS, "steps", steps),
	  .count = offsetof(struct lock_inside, nsteps) },
};
static const struct lock_shape inside_shape = SHAPE("inside", inside_fields);

#define RUNNER(type, key, member) AT(type, key, struct lock_runner, member)
static const struct lock_field runner_fields[] = {
	{ RUNNER(FIELD_BOOL, "ephemeral", ephemeral) },
	{ RUNNER(FIELD_STR, "group", group) },
	{ RUNNER(FIELD_BOOL, "jit", jit) },
	{ RUNNER(FIELD_STRS, "labels", labels),
	  .count = offsetof(struct lock_runner, nlabels) },
	{ RUNNER(FIELD_STR, "name", name) },
	{ RUNNER(FIELD_STR, "organization", organization) },
	{ RUNNER(FIELD_STR, "pod", pod) },
	{ RUNNER(FIELD_STR, "pod_id", pod_id) },
	{ RUNNER(FIELD_STR, "pod_start", pod_start) },
	{ RUNNER(FIELD_STR, "repository", repository) },
	{ RUNNER(FIELD_STR, "version", version) },
};
static const struct lock_shape runner_shape = SHAPE("runner", runner_fields);

#define ENTRY(type, key, member) AT(type, key, struct lock_entry, member)
static const struct lock_field entry_fields[] = {
	{ ENTRY(FIELD_STR, "address", address), .flags = FIELD_ALWAYS },
	{ ENTRY(FIELD_STR, "created_at", created_at) },
	{ ENTRY(FIELD_BOOL, "deposed", deposed) },
	{ ENTRY(FIELD_STR, "gpu_name", gpu_name) },
	{ ENTRY(FIELD_STR, "id", id) },
	{ ENTRY(FIELD_OBJECT, "inside", inside),
	  .flags = FIELD_POD_ONLY | FIELD_NOT_EMPTY,
	  .size = sizeof(struct lock_inside), .shape = &inside_shape },
	{ ENTRY(FIELD_CHOICE, "kind", kind), .flags = FIELD_ALWAYS,
	  .choices = kinds },
	{ ENTRY(FIELD_STR, "name_pattern", name_pattern) },
	{ ENTRY(FIELD_ID, "op", op) },
	{ ENTRY(FIELD_OBJECT, "pod", pod), .flags = FIELD_POD_ONLY,
	  .shape = &pod_shape },
	{ ENTRY(FIELD_PRICE, "price_per_hour", price_per_hour) },
	{ ENTRY(FIELD_BOOL, "protect", protect) },
	{ ENTRY(FIELD_OBJECT, "runner", runner),
	  .flags = FIELD_RUNNER_ONLY, .shape = &runner_shape },
	{ ENTRY(FIELD_STR, "spec_digest", spec_digest) },
	{ ENTRY(FIELD_BOOL, "stopped", stopped) },
	{ ENTRY(FIELD_BOOL, "tainted", tainted) },
	{ ENTRY(FIELD_OBJECT, "volume", volume), .flags = FIELD_VOLUME_ONLY,
	  .shape = &volume_shape },
};
static const struct lock_shape entry_shape = SHAPE("resource", entry_fields);

#define OP(type, key, member) AT(type, key, struct lock_op, member)
static const struct lock_field op_fields[] = {
	{ OP(FIELD_CHOICE, "action", action), .flags = FIELD_ALWAYS,
	  .choices = actions },
	{ OP(FIELD_STR, "address", address), .flags = FIELD_ALWAYS },
	{ OP(FIELD_STR, "boot_id", boot_id) },
	{ OP(FIELD_INT, "boot_ms", boot_ms) },
	{ OP(FIELD_OBJECT, "entry", entry), .shape = &entry_shape },
	{ OP(FIELD_ID, "op", op), .flags = FIELD_ALWAYS },
	{ OP(FIELD_INT, "wall_ms", wall_ms) },
};
static const struct lock_shape op_shape = SHAPE("pending", op_fields);

static const struct lock_field tombstone_fields[] = {
	{ AT(FIELD_STR, "address", struct tombstone, address) },
	{ AT(FIELD_STR, "id", struct tombstone, id) },
	{ AT(FIELD_ID, "op", struct tombstone, op), .flags = FIELD_ALWAYS },
	{ AT(FIELD_BOOL, "released", struct tombstone, released) },
	{ AT(FIELD_TIME, "when", struct tombstone, wall_ms) },
};
static const struct lock_shape tombstone_shape =
    SHAPE("tombstone", tombstone_fields);

#define HISTORY(type, key, member) AT(type, key, struct history_entry, member)
static const struct lock_field history_fields[] = {
	{ HISTORY(FIELD_STR, "command", command) },
	{ HISTORY(FIELD_INT, "exit_code", exit_code),
	  .flags = FIELD_ALWAYS },
	{ HISTORY(FIELD_STR, "plan_id", plan_id) },
	{ HISTORY(FIELD_STR, "summary", summary) },
	{ HISTORY(FIELD_TIME, "when", wall_ms) },
	{ HISTORY(FIELD_STR, "who", who) },
};
static const struct lock_shape history_shape =
    SHAPE("history", history_fields);

#define ACK(key, member) AT(FIELD_STR, key, struct ack, member)
static const struct lock_field ack_fields[] = {
	{ ACK("address", address) },
	{ ACK("path", path) },
	{ ACK("reason", reason) },
	{ ACK("until", until) },
	{ ACK("value", value) },
};
static const struct lock_shape ack_shape = SHAPE("accepted drift", ack_fields);

#define LIST(key, member, type_, shape_) \
	AT(FIELD_LIST, key, struct lock, member), \
	.size = sizeof(type_), .shape = &shape_
#define LOCK(type, key, member) AT(type, key, struct lock, member)
static const struct lock_field lock_fields[] = {
	{ LIST("drift_accepted", acks, struct ack, ack_shape) },
	{ LOCK(FIELD_STR, "folded", folded) },
	{ LOCK(FIELD_INT, "format_version", version),
	  .flags = FIELD_ALWAYS },
	{ LIST("history", history, struct history_entry, history_shape) },
	{ LOCK(FIELD_ID, "lineage", lineage), .flags = FIELD_ALWAYS },
	{ LIST("pending", pending, struct lock_op, op_shape) },
	{ LOCK(FIELD_STR, "project", project) },
	{ LIST("resources", entries, struct lock_entry, entry_shape) },
	{ LOCK(FIELD_INT, "serial", serial), .flags = FIELD_ALWAYS },
	{ LIST("tombstones", tombstones, struct tombstone, tombstone_shape) },
};
const struct lock_shape lock_shape = SHAPE("lock", lock_fields);

#define RECORD(type, key, member) AT(type, key, struct record, member)
#define RECORD_TYPE \
	{ RECORD(FIELD_CHOICE, "t", type), .flags = FIELD_ALWAYS, \
	  .choices = types }
static const struct lock_field begin_fields[] = {
	RECORD_TYPE,
	{ RECORD(FIELD_ID, "lineage", lineage) },
	{ RECORD(FIELD_INT, "serial", serial), .flags = FIELD_ALWAYS },
};
static const struct lock_field intent_fields[] = {
	RECORD_TYPE,
	{ RECORD(FIELD_ID, "op", op.op), .flags = FIELD_ALWAYS },
	{ RECORD(FIELD_CHOICE, "action", op.action), .flags = FIELD_ALWAYS,
	  .choices = actions },
	{ RECORD(FIELD_STR, "address", op.address), .flags = FIELD_ALWAYS },
	{ RECORD(FIELD_OBJECT, "entry", op.entry), .shape = &entry_shape },
	{ RECORD(FIELD_INT, "wall_ms", op.wall_ms) },
	{ RECORD(FIELD_STR, "boot_id", op.boot_id) },
	{ RECORD(FIELD_INT, "boot_ms", op.boot_ms) },
};
static const struct lock_field result_fields[] = {
	RECORD_TYPE,
	{ RECORD(FIELD_ID, "op", op.op), .flags = FIELD_ALWAYS },
	{ RECORD(FIELD_CHOICE, "outcome", outcome), .flags = FIELD_ALWAYS,
	  .choices = outcomes },
	{ RECORD(FIELD_STR, "id", id) },
	{ RECORD(FIELD_STR, "created_at", created_at) },
	{ RECORD(FIELD_PRICE, "price_per_hour", price_per_hour) },
	{ RECORD(FIELD_BOOL, "adopted", adopted) },
	{ RECORD(FIELD_INT, "wall_ms", wall_ms) },
};
static const struct lock_field end_fields[] = { RECORD_TYPE };
static const struct lock_field fact_fields[] = {
	RECORD_TYPE,
	{ RECORD(FIELD_STR, "id", id), .flags = FIELD_ALWAYS },
	{ RECORD(FIELD_OBJECT, "inside", inside), .shape = &inside_shape },
	{ RECORD(FIELD_INT, "wall_ms", wall_ms) },
};

const struct lock_shape record_shapes[RECORD_FACT + 1] = {
	[RECORD_BEGIN] = SHAPE("begin", begin_fields),
	[RECORD_INTENT] = SHAPE("intent", intent_fields),
	[RECORD_RESULT] = SHAPE("result", result_fields),
	[RECORD_END] = SHAPE("end", end_fields),
	[RECORD_FACT] = SHAPE("fact", fact_fields),
};
