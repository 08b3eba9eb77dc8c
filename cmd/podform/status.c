/* status.c - podform status: one table of what is ours, without the spec. */
#include "base/json.h"
#include "base/mark.h"
#include "base/units.h"
#include "commands.h"
#include "holder_client.h"
#include "picture.h"
#include "ui/cells.h"
#include "ui/notes.h"
#include "ui/table.h"
#include "ui/words.h"
#include "tunnel_show.h"

/* "3h10m" since it was started, or since it was made. */
static struct str
age_of(struct app *app, const struct cloud_pod *pod)
{
	int64_t since;

	if (pod == NULL || pod->status != POD_RUNNING || (!parse_time(pod->started_at, &since) &&
	    !parse_time(pod->created_at, &since)))
		return STR("");
	since = app_wall_ms(app) - since;
	if (since < 0)
		return STR("");
	if (since >= HOUR_MS)
		since = since / MINUTE_MS * MINUTE_MS;
	return format_duration(&app->arena, since / SECOND_MS * SECOND_MS);
}

static struct str
ssh_of(struct app *app, const struct cloud_pod *pod)
{
	if (pod == NULL || pod->ssh.port == 0)
		return STR("");
	return arena_printf(&app->arena, STR_FMT ":%u",
	    STR_ARG(pod->ssh.host), pod->ssh.port);
}

/* ": gpu, a40" */
static struct str
labels_of(struct app *app, const struct lock_entry *entry)
{
	struct strbuf text = {0};
	struct str labels;

	for (size_t i = 0; i < entry->runner.nlabels; i++) {
		strbuf_adds(&text, i == 0 ? ": " : ", ");
		strbuf_add(&text, entry->runner.labels[i]);
	}
	labels = arena_str(&app->arena, strbuf_str(&text));
	strbuf_release(&text);
	return labels;
}

static struct str
what_of(struct app *app, const struct lock_entry *entry)
{
	if (entry->kind == KIND_VOLUME)
		return arena_printf(&app->arena, "%lldGB",
		    (long long)entry->volume.size_gb);
	if (entry->kind == KIND_RUNNER)
		return arena_printf(&app->arena, "of " STR_FMT " on " STR_FMT
		    STR_FMT, STR_ARG(entry->runner.repository.len > 0 ?
		    entry->runner.repository : entry->runner.organization),
		    STR_ARG(entry->runner.pod), STR_ARG(labels_of(app,
		    entry)));
	return arena_printf(&app->arena, "%lld x " STR_FMT,
	    (long long)entry->pod.gpu_count, STR_ARG(entry->gpu_name.len > 0 ?
	    entry->gpu_name : entry->pod.gpu));
}

static struct str
place_of(const struct lock_entry *entry, const struct cloud_pod *pod)
{
	if (entry->kind == KIND_VOLUME)
		return entry->volume.data_center;
	if (pod != NULL && pod->config.data_center.len > 0)
		return pod->config.data_center;
	return entry->pod.data_center;
}

static int64_t
rate_of(const struct picture *picture, const struct lock_entry *entry)
{
	const struct cloud_pod *pod = picture_pod(picture, entry->id);
	const struct cloud_volume *volume = picture_volume(picture,
	    entry->id);

	if (entry->kind == KIND_VOLUME)
		return volume == NULL ? 0 : price_volume(volume->size_gb,
		    volume->high_performance);
	return pod != NULL && pod->cost_known ? pod->cost_per_hour : 0;
}

static int64_t
add_rows(struct app *app, const struct picture *picture,
    struct table *table)
{
	const struct lock *lock = picture->session.lock;
	int64_t total = 0;

	for (size_t i = 0; i < lock->entries.n; i++) {
		const struct lock_entry *entry = &lock->entries.items[i];
		const struct cloud_pod *pod = picture_pod(picture, entry->id);
		int64_t rate = rate_of(picture, entry);
		enum paint paint;
		struct str state = picture_state(picture, entry, &paint);
		table_add(table, entry->address);
		table_add_paint(table, entry->deposed ? STR("deposed") : state,
		    paint);
		table_add(table, what_of(app, entry));
		table_add(table, place_of(entry, pod));
		table_add(table, age_of(app, pod));
		table_add(table, format_rate(&app->arena, rate));
		table_add(table, ssh_of(app, pod));
		total += rate;
	}
	return total;
}

static void
count_others(const struct picture *picture, size_t *pods, int64_t *rate)
{
	const struct live *live = &picture->session.live;

	*pods = 0;
	*rate = 0;
	for (size_t i = 0; i < live->npods; i++) {
		const struct cloud_pod *pod = &live->pods[i];
		if (pod->status == POD_TERMINATED || lock_find_id(
		    picture->session.lock, KIND_POD, pod->id) != NULL)
			continue;
		++*pods;
		*rate += pod->cost_known ? pod->cost_per_hour : 0;
	}
}

/* Those that are held here; what the holder does not say is left out. */
static void
show_tunnels(struct app *app, struct strbuf *out)
{
	struct tunnel_status *tunnels;
	struct str why;
	size_t n;

	if (app->holder == NULL || !holder_list(app, &tunnels, &n, &why) ||
	    n == 0)
		return;
	strbuf_addc(out, '\n');
	tunnel_show_text(app, out, tunnels, n);
}

/* Whose runners could not be asked for, and why. */
static void
show_unknown(struct app *app, const struct picture *picture,
    struct strbuf *out)
{
	const struct live *live = &picture->session.live;

	for (size_t i = 0; i < live->nscopes; i++)
		if (!live->scopes[i].known)
			strbuf_addf(out, "GitHub does not tell about the "
			    "runners of " STR_FMT ": " STR_FMT "\n",
			    STR_ARG(github_scope_text(&live->scopes[i].scope)),
			    STR_ARG(cells_escape(&app->arena,
				live->scopes[i].why_unknown)));
}

static void
print_text(struct app *app, const struct picture *picture,
    struct strbuf *out)
{
	static const struct table_column columns[] = {
		{ .title = "ADDRESS" }, { .title = "STATE" },
		{ .title = "WHAT", .shrink = true }, { .title = "PLACE" },
		{ .title = "UP", .right = true },
		{ .title = "$/H", .right = true }, { .title = "SSH" },
	};
	struct table table;
	int64_t total, rate;
	size_t others;

	table_init(&table, &app->arena, columns, COUNTOF(columns));
	total = add_rows(app, picture, &table);
	if (table_rows(&table) == 0)
		strbuf_adds(out, "nothing is ours here; podform plan shows "
		    "what the spec asks for\n");
	table_print(out, &table, app->out_style);
	strbuf_addf(out, "\nTogether " STR_FMT "/h, " STR_FMT
	    " per month.\n", STR_ARG(format_rate(&app->arena, total)),
	    STR_ARG(format_total(&app->arena, total * HOURS_PER_MONTH)));
	count_others(picture, &others, &rate);
	if (others > 0)
		strbuf_addf(out, "Not managed: " STR_FMT " (" STR_FMT
		    "/h). See: podform audit\n", STR_ARG(words_count(
		    &app->arena, others, "pod")),
		    STR_ARG(format_rate(&app->arena, rate)));
	show_unknown(app, picture, out);
	show_tunnels(app, out);
	if (picture->session.lock->pending.n > 0)
		strbuf_addf(out, "%zu unclear from an earlier run; the next "
		    "apply settles them.\n",
		    picture->session.lock->pending.n);
}

/* As GitHub reports it; `known` false: it does not tell. */
static void
json_runner(struct json_writer *w, const struct picture *picture,
    const struct lock_entry *entry)
{
	const struct live_scope *scope;
	const struct github_runner *live = picture_runner(picture, entry,
	    &scope);
	const struct lock_runner *runner = &entry->runner;

	json_key(w, "runner");
	json_begin(w, '{');
	json_member_str(w, "name", runner->name);
	json_member_str(w, "pod", runner->pod);
	if (runner->repository.len > 0)
		json_member_str(w, "repository", runner->repository);
	else
		json_member_str(w, "organization", runner->organization);
	json_member_bool(w, "ephemeral", runner->ephemeral);
	json_key(w, "labels");
	json_begin_inline(w, '[');
	for (size_t i = 0; i < (live != NULL ? live->nlabels :
		runner->nlabels); i++)
		json_put_str(w, live != NULL ? live->labels[i] :
		    runner->labels[i]);
	json_end(w, ']');
	json_member_bool(w, "known", scope != NULL && scope->known);
	if (live != NULL) {
		json_member_bool(w, "online", live->online);
		json_member_bool(w, "busy", live->busy);
		json_member_str(w, "version", live->version);
	}
	json_end(w, '}');
}

static void
print_json(struct app *app, const struct picture *picture,
    struct strbuf *out)
{
	const struct lock *lock = picture->session.lock;
	struct json_writer w = { .out = out, .indent = 2 };
	struct tunnel_status *tunnels;
	struct str why;
	size_t n;

	json_begin(&w, '{');
	json_member_str(&w, "format_version", STR("1.0"));
	json_member_str(&w, "as_of", format_time(&app->arena,
	    picture->session.live.wall_ms));
	json_key(&w, "resources");
	json_begin(&w, '[');
	for (size_t i = 0; i < lock->entries.n; i++) {
		const struct lock_entry *entry = &lock->entries.items[i];
		const struct cloud_pod *pod = picture_pod(picture, entry->id);
		enum paint paint;
		json_begin(&w, '{');
		json_member_str(&w, "address", entry->address);
		json_member_str(&w, "kind", str_from(kind_name(entry->kind)));
		json_member_str(&w, "id", entry->id);
		json_member_str(&w, "state", picture_state(picture, entry,
		    &paint));
		json_member_bool(&w, "deposed", entry->deposed);
		json_member_str(&w, "what", what_of(app, entry));
		json_member_str(&w, "data_center", place_of(entry, pod));
		json_member_usd(&w, "per_hour", rate_of(picture, entry));
		if (entry->kind == KIND_RUNNER)
			json_runner(&w, picture, entry);
		if (pod != NULL && pod->ssh.port != 0) {
			json_key(&w, "ssh");
			json_begin_inline(&w, '{');
			json_member_str(&w, "host", pod->ssh.host);
			json_member_int(&w, "port", pod->ssh.port);
			json_member_str(&w, "user", pod->ssh.user);
			json_end(&w, '}');
		}
		json_end(&w, '}');
	}
	json_end(&w, ']');
	if (app->holder != NULL && holder_list(app, &tunnels, &n, &why)) {
		json_key(&w, "tunnels");
		tunnel_show_json(app, &w, tunnels, n);
	}
	json_member_int(&w, "pending", (int64_t)lock->pending.n);
	json_end(&w, '}');
	strbuf_addc(out, '\n');
}

int
cmd_status(struct app *app)
{
	struct picture picture;
	struct strbuf out = {0};
	int code = picture_take(&picture, app, "status");

	if (code != EXIT_OK)
		return code;
	if (app_json(app))
		print_json(app, &picture, &out);
	else
		print_text(app, &picture, &out);
	app_print(app, &out);
	session_close(&picture.session);
	return EXIT_OK;
}
