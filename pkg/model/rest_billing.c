/*
 * rest_billing.c - /v2/billing: what was spent, in buckets of time.
 *
 * Buckets are whole hours, days, weeks (from Monday), months or years of
 * UTC; a window is widened to whole buckets, as documented.  Unlike the real
 * service, which lags by a day and more, this one is exact.
 */
#include "model/rest.h"

enum { HOUR = 3600 * 1000, DAY = 24 * HOUR, RECORDS_MAX = 20000 };

struct window {
	int64_t from_ms, to_ms;
	const char *bucket;
};

static int64_t
floor_to(int64_t ms, int64_t unit, int64_t offset)
{
	int64_t rest = (ms - offset) % unit;

	return ms - (rest < 0 ? rest + unit : rest);
}

/* Start of the month (of the year) that is `add` after that of ms. */
static int64_t
month_start(int64_t ms, bool year, int64_t add)
{
	struct arena scratch = {0};
	struct str text = model_rfc3339(&scratch, ms);
	int64_t y = 0, m = 0;

	for (size_t i = 0; i < 4; i++)
		y = y * 10 + (text.data[i] - '0');
	for (size_t i = 5; i < 7; i++)
		m = m * 10 + (text.data[i] - '0');
	arena_release(&scratch);
	m = year ? 0 : m - 1 + add;
	y += year ? add : m / 12;
	return model_days(y, m % 12 + 1, 1) * DAY;
}

static int64_t
bucket_start(const char *bucket, int64_t ms)
{
	switch (bucket[0]) {
	case 'h':
		return floor_to(ms, HOUR, 0);
	case 'd':
		return floor_to(ms, DAY, 0);
	case 'w':	/* 1970-01-05 was a Monday */
		return floor_to(ms, 7 * (int64_t)DAY, 4 * (int64_t)DAY);
	default:
		return month_start(ms, bucket[0] == 'y', 0);
	}
}

static int64_t
bucket_next(const char *bucket, int64_t start_ms)
{
	switch (bucket[0]) {
	case 'h':
		return start_ms + HOUR;
	case 'd':
		return start_ms + DAY;
	case 'w':
		return start_ms + 7 * (int64_t)DAY;
	default:
		return month_start(start_ms, bucket[0] == 'y', 1);
	}
}

static bool
bad(struct rest *rest, int status, const char *detail)
{
	rest_problem(rest, status, detail);
	return false;
}

static bool
read_last(struct rest *rest, struct str last, struct window *window)
{
	int64_t n = 0;

	for (size_t i = 0; i < last.len && n <= 1000; i++)
		n = last.data[i] >= '0' && last.data[i] <= '9'
		    ? n * 10 + (last.data[i] - '0') : 1001;
	if (n < 1 || n > 1000)
		return bad(rest, 422, "lastN must be between 1 and 1000");
	window->from_ms = bucket_start(window->bucket, rest->model->now_ms);
	window->to_ms = bucket_next(window->bucket, window->from_ms);
	while (--n > 0)
		window->from_ms = bucket_start(window->bucket,
		    window->from_ms - 1);
	return true;
}

static bool
read_window(struct rest *rest, struct window *window)
{
	static const char *const buckets[] = {
		"hour", "day", "week", "month", "year",
	};
	struct str bucket = rest_query(rest, "bucketSize");
	struct str from = rest_query(rest, "startTime");
	struct str to = rest_query(rest, "endTime");
	struct str last = rest_query(rest, "lastN");

	window->bucket = bucket.data == NULL ? "day" : NULL;
	for (size_t i = 0; i < COUNTOF(buckets); i++)
		if (str_is(bucket, buckets[i]))
			window->bucket = buckets[i];
	if (window->bucket == NULL)
		return bad(rest, 422, "unknown bucketSize");
	if (last.data != NULL && (from.data != NULL || to.data != NULL))
		return bad(rest, 400,
		    "lastN and startTime/endTime are mutually exclusive");
	if (last.data != NULL)
		return read_last(rest, last, window);
	window->to_ms = rest->model->now_ms;
	window->from_ms = window->to_ms - 30 * (int64_t)DAY;
	if ((from.data != NULL && !model_parse_time(from, &window->from_ms)) ||
	    (to.data != NULL && !model_parse_time(to, &window->to_ms)))
		return bad(rest, 422, "malformed time");
	if (window->from_ms >= window->to_ms)
		return bad(rest, 400, "startTime must be before endTime");
	window->from_ms = bucket_start(window->bucket, window->from_ms);
	window->to_ms = bucket_next(window->bucket,
	    bucket_start(window->bucket, window->to_ms - 1));
	if ((window->to_ms - window->from_ms) / HOUR > RECORDS_MAX * 24)
		return bad(rest, 400, "the window is too long");
	return true;
}

static void
put_range(struct rest *rest, struct json_out *out, int64_t from_ms,
    int64_t to_ms)
{
	json_out_member(out, "startTime", model_rfc3339(rest->arena,
	    from_ms));
	json_out_member(out, "endTime", model_rfc3339(rest->arena, to_ms));
}

struct amounts { int64_t gpu, cpu, disk, standard, high; };

static void
add(struct amounts *sum, const struct amounts *more)
{
	sum->gpu += more->gpu;
	sum->cpu += more->cpu;
	sum->disk += more->disk;
	sum->standard += more->standard;
	sum->high += more->high;
}

static int64_t
total(const struct amounts *a)
{
	return a->gpu + a->cpu + a->disk + a->standard + a->high;
}

static struct amounts
of_pod(const struct model *model, const struct model_pod *pod,
    int64_t from_ms, int64_t to_ms)
{
	struct amounts a = {0};
	int64_t compute;

	if (to_ms > model->now_ms)
		to_ms = model->now_ms;
	model_bills_between(pod->bills, pod->nbills, from_ms, to_ms,
	    &compute, &a.disk);
	*(pod->gpu != NULL ? &a.gpu : &a.cpu) = compute;
	return a;
}

static struct amounts
of_volume(const struct model *model, const struct model_volume *volume,
    int64_t from_ms, int64_t to_ms)
{
	struct amounts a = {0};

	if (to_ms > model->now_ms)
		to_ms = model->now_ms;
	model_bills_between(volume->bills, volume->nbills, from_ms, to_ms,
	    NULL, volume->high_performance ? &a.high : &a.standard);
	return a;
}

static void
put_all_amounts(struct json_out *out, const struct amounts *a)
{
	json_out_member_usd(out, "totalAmount", total(a));
	json_out_member_usd(out, "podGpuAmount", a->gpu);
	json_out_member_usd(out, "podCpuAmount", a->cpu);
	json_out_member_usd(out, "podDiskAmount", a->disk);
	json_out_member_usd(out, "serverlessGpuAmount", 0);
	json_out_member_usd(out, "serverlessCpuAmount", 0);
	json_out_member_usd(out, "serverlessDiskAmount", 0);
	json_out_member_usd(out, "serverlessFeeAmount", 0);
	json_out_member_usd(out, "storageStandardAmount", a->standard);
	json_out_member_usd(out, "storageHighPerformanceAmount", a->high);
	json_out_member_usd(out, "endpointAmount", 0);
	json_out_member_usd(out, "clusterGpuAmount", 0);
	json_out_member_usd(out, "clusterDiskAmount", 0);
	json_out_member_usd(out, "clusterNetworkingAmount", 0);
}

static void
put_pod_amounts(struct json_out *out, const struct amounts *a)
{
	json_out_member_usd(out, "totalAmount", total(a));
	json_out_member_usd(out, "gpuAmount", a->gpu);
	json_out_member_usd(out, "cpuAmount", a->cpu);
	json_out_member_usd(out, "diskAmount", a->disk);
}

static void
put_volume_amounts(struct json_out *out, const struct amounts *a)
{
	json_out_member_usd(out, "totalAmount", total(a));
	json_out_member_usd(out, "standardAmount", a->standard);
	json_out_member_usd(out, "highPerformanceAmount", a->high);
}

/* The end that all three answers share; leaves `totals` to the caller. */
static void
put_metadata(struct rest *rest, struct json_out *out,
    const struct window *window, const char *filter, const char *unique,
    int64_t nunique, int64_t nrecords)
{
	struct str id = filter == NULL ? (struct str){0}
	    : rest_query(rest, filter);

	json_out_close(out, ']');
	json_out_key(out, "metadata");
	json_out_open(out, '{');
	json_out_key(out, "query");
	json_out_open(out, '{');
	put_range(rest, out, window->from_ms, window->to_ms);
	json_out_member_c(out, "bucketSize", window->bucket);
	if (filter != NULL)
		json_out_member_or_null(out, filter, id);
	json_out_close(out, '}');
	json_out_member_int(out, "recordCount", nrecords);
	if (unique != NULL)
		json_out_member_int(out, unique, nunique);
	json_out_key(out, "totals");
	json_out_open(out, '{');
}

static void
begin(struct json_out *out)
{
	json_out_open(out, '{');
	json_out_key(out, "records");
	json_out_open(out, '[');
}

static void
end(struct rest *rest, struct json_out *out)
{
	json_out_close(out, '}');	/* totals */
	json_out_close(out, '}');	/* metadata */
	json_out_close(out, '}');
	rest_json(rest, 200, out);
}

void
rest_billing(struct rest *rest)
{
	struct model *model = rest->model;
	struct amounts sum = {0};
	struct json_out out = {0};
	struct window window;
	int64_t n = 0, next;

	if (!read_window(rest, &window))
		return;
	begin(&out);
	for (int64_t t = window.from_ms; t < window.to_ms; t = next) {
		struct amounts a = {0}, one;
		next = bucket_next(window.bucket, t);
		for (size_t i = 0; i < model->pods.n; i++) {
			one = of_pod(model, model->pods.items[i], t, next);
			add(&a, &one);
		}
		for (size_t i = 0; i < model->volumes.n; i++) {
			one = of_volume(model, model->volumes.items[i], t,
			    next);
			add(&a, &one);
		}
		if (total(&a) == 0)
			continue;
		n++;
		add(&sum, &a);
		json_out_open(&out, '{');
		put_range(rest, &out, t, next);
		put_all_amounts(&out, &a);
		json_out_close(&out, '}');
	}
	put_metadata(rest, &out, &window, NULL, NULL, 0, n);
	put_all_amounts(&out, &sum);
	end(rest, &out);
}

void
rest_billing_pods(struct rest *rest)
{
	struct model *model = rest->model;
	struct str id = rest_query(rest, "podId");
	struct amounts sum = {0};
	struct json_out out = {0};
	struct window window;
	int64_t n = 0, pods = 0, next;

	if (!read_window(rest, &window))
		return;
	begin(&out);
	for (size_t i = 0; i < model->pods.n; i++) {
		const struct model_pod *pod = model->pods.items[i];
		int64_t before = n;
		if (id.data != NULL && !str_eq(id, pod->id))
			continue;
		for (int64_t t = window.from_ms; t < window.to_ms; t = next) {
			next = bucket_next(window.bucket, t);
			struct amounts a = of_pod(model, pod, t, next);
			if (total(&a) == 0)
				continue;
			n++;
			add(&sum, &a);
			json_out_open(&out, '{');
			put_range(rest, &out, t, next);
			json_out_member(&out, "podId", pod->id);
			put_pod_amounts(&out, &a);
			json_out_close(&out, '}');
		}
		pods += n > before;
	}
	put_metadata(rest, &out, &window, "podId", "uniquePodCount", pods, n);
	put_pod_amounts(&out, &sum);
	end(rest, &out);
}

void
rest_billing_volumes(struct rest *rest)
{
	struct model *model = rest->model;
	struct str id = rest_query(rest, "networkVolumeId");
	struct amounts sum = {0};
	struct json_out out = {0};
	struct window window;
	int64_t n = 0, volumes = 0, next;

	if (!read_window(rest, &window))
		return;
	begin(&out);
	for (size_t i = 0; i < model->volumes.n; i++) {
		const struct model_volume *volume = model->volumes.items[i];
		int64_t before = n;
		if (id.data != NULL && !str_eq(id, volume->id))
			continue;
		for (int64_t t = window.from_ms; t < window.to_ms; t = next) {
			next = bucket_next(window.bucket, t);
			struct amounts a = of_volume(model, volume, t, next);
			if (total(&a) == 0)
				continue;
			n++;
			add(&sum, &a);
			json_out_open(&out, '{');
			put_range(rest, &out, t, next);
			json_out_member(&out, "networkVolumeId", volume->id);
			put_volume_amounts(&out, &a);
			json_out_close(&out, '}');
		}
		volumes += n > before;
	}
	put_metadata(rest, &out, &window, "networkVolumeId",
	    "uniqueNetworkVolumeCount", volumes, n);
	put_volume_amounts(&out, &sum);
	end(rest, &out);
}
