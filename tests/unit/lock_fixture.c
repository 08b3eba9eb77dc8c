/* lock_fixture.c - see lock_fixture.h */
#include "lock_fixture.h"

#include <stdio.h>
#include <string.h>

void
bench_init(struct bench *b)
{
	memset(b, 0, sizeof *b);
	b->fake = fake_fs_new(1000);
	b->fs = fake_fs_seam(b->fake);
	b->chance_state.state = 42;
	b->chance = fake_chance_seam(&b->chance_state);
	b->sources.arena = &b->arena;
	b->diags.arena = &b->arena;
	b->diags.sources = &b->sources;
	fake_fs_put_dir(b->fake, "project", 0755);
	fake_fs_put_dir(b->fake, "project/.podform", 0700);
}

void
bench_release(struct bench *b)
{
	fake_fs_free(b->fake);
	strbuf_release(&b->printed);
	arena_release(&b->arena);
}

const char *
bench_report(struct bench *b)
{
	strbuf_reset(&b->printed);
	diags_print(&b->printed, &b->diags, (struct diag_style){ 0 });
	b->diags = (struct diags){ .arena = &b->arena,
	    .sources = &b->sources };
	return b->printed.len > 0 ? b->printed.data : "";
}

struct id128
op_id(unsigned n)
{
	struct id128 id = { 0 };
	snprintf(id.hex, sizeof id.hex, "%08x%024x", n, n);
	return id;
}

struct lock_entry
full_pod(const char *address, const char *id)
{
	static struct str ports[] = { STR_INIT("22/tcp"),
	    STR_INIT("8188/http") };
	static struct env_var env[] = {
		{ STR_INIT("MODE"), STR_INIT("train \"now\"\n\xc3\xa9"),
		  false },
		{ STR_INIT("WANDB_KEY"), STR_INIT("${secret.WANDB_KEY}"),
		  true },
	};
	return (struct lock_entry){
		.kind = KIND_POD, .address = str_from(address),
		.id = str_from(id), .op = op_id(7), .protect = true,
		.stopped = true, .spec_digest = STR("sha256:abc"),
		.created_at = STR("2026-11-21T09:11:21Z"),
		.name_pattern = STR("comfy-{n}"), .gpu_name = STR("A40"),
		.price_per_hour = 690000,
		.pod = {
			.name = STR("trainer-pf0001020000000007"),
			.image = STR("runpod/pytorch:2.4.0"),
			.args = STR(""), .gpu = STR("NVIDIA A40"),
			.gpu_count = 2, .min_cuda = STR("12.4"),
			.tier = TIER_SECURE, .data_center = STR("EU-RO-1"),
			.disk_gb = 50, .volume_id = STR("vol1"),
			.volume_path = STR("/workspace"),
			.persistent_gb = 20, .persistent_path = STR("/keep"),
			.ports = ports, .nports = 2, .env = env, .nenv = 2,
		},
	};
}

struct lock_entry
full_volume(const char *address, const char *id)
{
	return (struct lock_entry){
		.kind = KIND_VOLUME, .address = str_from(address),
		.id = str_from(id), .op = op_id(8), .price_per_hour = -1,
		.volume = { .id = str_from(id), .name = STR("datasets"),
		    .data_center = STR("EU-RO-1"), .size_gb = 100,
		    .high_performance = true },
	};
}

struct lock *
empty_lock(struct arena *arena)
{
	struct lock *lock = ARENA_NEW(arena, struct lock);

	lock->arena = arena;
	lock->version = LOCK_VERSION;
	return lock;
}

struct lock *
bare_lock(struct arena *arena, int64_t serial)
{
	struct lock *lock = empty_lock(arena);

	lock->exists = true;
	lock->serial = serial;
	id128_parse(STR(LINEAGE), &lock->lineage);
	lock->project = STR("quickstart");
	return lock;
}

struct lock *
full_lock(struct arena *arena)
{
	struct lock *lock = bare_lock(arena, 41);

	lock->exists = false;
	*ARENA_PUSH(arena, &lock->entries) = full_volume("volume.data", "v1");
	*ARENA_PUSH(arena, &lock->entries) = full_pod("pod.trainer", "p2");
	lock->entries.items[1].deposed = true;
	lock->entries.items[1].tainted = true;
	*ARENA_PUSH(arena, &lock->entries) = full_pod("pod.trainer", "p1");
	*ARENA_PUSH(arena, &lock->pending) = (struct lock_op){
		.op = op_id(9), .action = OP_CREATE,
		.address = STR("pod.eval"),
		.entry = full_pod("pod.eval", NULL),
		.wall_ms = 1763716281123, .boot_id = STR("boot-1"),
		.boot_ms = 12345 };
	lock_bury(arena, lock, &(struct id128){ "ffffffffffffffffffff"
	    "ffffffffffff" }, STR("pod.old"), 1763716281000);
	*ARENA_PUSH(arena, &lock->history) = (struct history_entry){
		1763716281000, STR("ada@box"), STR("apply"), STR("plan-1"),
		STR("2 added"), 0 };
	*ARENA_PUSH(arena, &lock->acks) = (struct ack){ STR("pod.trainer"),
	    STR("image"), STR("x:1"), STR("hotfix"),
	    STR("2026-12-01T00:00:00Z") };
	lock->folded = STR("00112233445566aa");
	return lock;
}

struct record
begin_record(int64_t serial)
{
	struct record record = { .type = RECORD_BEGIN, .serial = serial };
	id128_parse(STR(LINEAGE), &record.lineage);
	return record;
}

struct record
intent_record(unsigned op, enum op_action action, const char *address,
    const char *id)
{
	struct record record = { .type = RECORD_INTENT };
	record.op.op = op_id(op);
	record.op.action = action;
	record.op.address = str_from(address);
	record.op.entry = full_pod(address, id);
	record.op.entry.op = action == OP_CREATE ? op_id(op) :
	    (struct id128){ 0 };
	record.op.entry.stopped = false;
	record.op.wall_ms = 1763716281000 + op;
	return record;
}

struct record
result_record(unsigned op, enum op_outcome outcome, const char *id)
{
	struct record record = { .type = RECORD_RESULT, .outcome = outcome,
	    .id = str_from(id), .price_per_hour = -1 };
	record.op.op = op_id(op);
	return record;
}

const char *
text_of(struct arena *arena, const struct lock *lock)
{
	struct strbuf buf = { 0 };
	lock_write_text(&buf, lock);
	const char *text = arena_cstr(arena, strbuf_str(&buf));
	strbuf_release(&buf);
	return text;
}

const char *
outline(struct arena *arena, const struct lock *lock)
{
	struct strbuf buf = { 0 };
	for (size_t i = 0; i < lock->entries.n; i++) {
		const struct lock_entry *e = &lock->entries.items[i];
		strbuf_addf(&buf, STR_FMT " " STR_FMT "%s%s\n",
		    STR_ARG(e->address), STR_ARG(e->id),
		    e->deposed ? " deposed" : "",
		    e->stopped ? " stopped" : "");
	}
	for (size_t i = 0; i < lock->pending.n; i++)
		strbuf_addf(&buf, "pending %.8s " STR_FMT "\n",
		    lock->pending.items[i].op.hex,
		    STR_ARG(lock->pending.items[i].address));
	for (size_t i = 0; i < lock->tombstones.n; i++)
		strbuf_addf(&buf, "dead %.8s " STR_FMT "\n",
		    lock->tombstones.items[i].op.hex,
		    STR_ARG(lock->tombstones.items[i].address));
	const char *text = arena_cstr(arena, strbuf_str(&buf));
	strbuf_release(&buf);
	return text;
}
