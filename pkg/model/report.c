/* report.c - the account as JSON: pods alive, money, every operation. */
#include "model/json_out.h"
#include "model/private.h"

static void
put_pod(struct json_out *out, const struct model_pod *pod, int64_t now_ms)
{
	struct str mark = model_pod_env(pod, "PODFORM_MARK");

	json_out_open(out, '{');
	json_out_member(out, "id", pod->id);
	json_out_member(out, "name", pod->name);
	json_out_member_c(out, "status", model_status_word(pod->status));
	json_out_member_or_null(out, "gpu", pod->gpu == NULL ? pod->cpu_id
	    : str_from(pod->gpu->id));
	json_out_member_int(out, "gpu_count", pod->gpu_count);
	json_out_member_c(out, "data_center", pod->place->id);
	json_out_member_or_null(out, "mark", mark);
	json_out_member_bool(out, "by_console", pod->by_console);
	json_out_member_int(out, "starts", pod->start_number);
	json_out_member_int(out, "created_ms", pod->created_ms);
	json_out_key(out, "ended_ms");
	if (pod->ended_ms < 0)
		json_out_null(out);
	else
		json_out_int(out, pod->ended_ms);
	json_out_member_usd(out, "per_hour", pod->status == MODEL_EXITED ||
	    pod->status == MODEL_TERMINATED ? 0 : pod->compute_rate);
	json_out_member_usd(out, "spent", model_pod_spent(pod, now_ms));
	json_out_close(out, '}');
}

static void
put_volume(struct json_out *out, const struct model_volume *volume,
    int64_t now_ms)
{
	json_out_open(out, '{');
	json_out_member(out, "id", volume->id);
	json_out_member(out, "name", volume->name);
	json_out_member_bool(out, "alive", volume->ended_ms < 0);
	json_out_member_int(out, "size_gb", volume->size_gb);
	json_out_member_c(out, "data_center", volume->place->id);
	json_out_member_usd(out, "spent", model_volume_spent(volume,
	    now_ms));
	json_out_close(out, '}');
}

static void
put_log(struct json_out *out, const struct model *model)
{
	json_out_key(out, "operations");
	json_out_open(out, '[');
	for (size_t i = 0; i < model->log.n; i++) {
		const struct model_entry *entry = &model->log.items[i];
		json_out_open(out, '{');
		json_out_member_int(out, "at_ms", entry->at_ms);
		json_out_member_c(out, "op", model_op_name(entry->op));
		json_out_member_c(out, "by", model_actor_name(entry->actor));
		json_out_member(out, "id", entry->id);
		json_out_close(out, '}');
	}
	json_out_close(out, ']');
}

static void
put_counts(struct json_out *out, const struct model *model)
{
	json_out_key(out, "calls");
	json_out_open(out, '{');
	for (int i = 0; i < MODEL_CALL_COUNT; i++)
		if (model->calls[i] > 0)
			json_out_member_int(out,
			    model_call_name((enum model_call)i),
			    model->calls[i]);
	json_out_close(out, '}');
	json_out_key(out, "faults");
	json_out_open(out, '{');
	for (int i = 0; i < MODEL_FAULT_COUNT; i++)
		if (model->fired[i] > 0)
			json_out_member_int(out,
			    model_fault_name((enum model_fault)i),
			    model->fired[i]);
	json_out_close(out, '}');
}

struct str
model_report(struct model *model, int64_t now_ms, struct arena *arena)
{
	int64_t spent = model_spent(model, now_ms), alive = 0, running = 0;
	struct json_out out = {0};

	for (size_t i = 0; i < model->pods.n; i++) {
		const struct model_pod *pod = model->pods.items[i];
		alive += model_pod_billed(pod);
		running += model_pod_billed(pod) &&
		    pod->status != MODEL_EXITED;
	}
	json_out_open(&out, '{');
	json_out_member(&out, "at", model_rfc3339(arena, model->now_ms));
	json_out_member_int(&out, "pods_alive", alive);
	json_out_member_int(&out, "pods_running", running);
	json_out_member_usd(&out, "per_hour", model->rate);
	json_out_member_usd(&out, "spent", spent);
	json_out_member_usd(&out, "balance", model->paid_in - spent);
	json_out_key(&out, "pods");
	json_out_open(&out, '[');
	for (size_t i = 0; i < model->pods.n; i++)
		put_pod(&out, model->pods.items[i], model->now_ms);
	json_out_close(&out, ']');
	json_out_key(&out, "volumes");
	json_out_open(&out, '[');
	for (size_t i = 0; i < model->volumes.n; i++)
		put_volume(&out, model->volumes.items[i], model->now_ms);
	json_out_close(&out, ']');
	put_counts(&out, model);
	put_log(&out, model);
	json_out_close(&out, '}');
	return json_out_take(&out, arena);
}
