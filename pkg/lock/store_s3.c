/*
 * store_s3.c - an object, and a second one as the hold on it.
 *
 * The hold is made with If-None-Match: *, the record is replaced with
 * If-Match: so of two writers one gets 412.  The text of the record differs
 * at each write (its serial rises), and with it the ETag.
 *
 * Facts: docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests;
 * 409 is said while two conditional writes meet, and means "again".
 */
#include "lock/store_driver.h"

#include "base/probe.h"
#include "base/units.h"
#include "lock/crc.h"
#include "lock/lock.h"
#include "lock/text.h"

static struct str
hold_path(struct store *store)
{
	return arena_printf(store->arena, STR_FMT ".hold",
	    STR_ARG(store->place.path));
}

static struct str
hold_text(struct store *store)
{
	struct strbuf text = {0};

	holder_put(&text, &store->self, false);
	struct str kept = arena_str(store->arena, strbuf_str(&text));
	strbuf_release(&text);
	return kept;
}

static enum store_result
holder(struct store *store, struct mutex_holder *out)
{
	bool released;
	struct http_answer answer;
	struct http_request request = {
		.method = HTTP_GET, .path = hold_path(store),
		.max_body = HOLDER_BYTES_MAX,
	};
	enum store_result result = store_ask(store, &request, &answer);

	if (result != STORE_OK)
		return result;
	if (answer.status == 404)
		return STORE_MISSING;
	if (answer.status != 200)
		return store_refuse(store, "read its hold", &answer);
	store->hold_version = answer.etag;
	holder_get(store->arena, answer.body, out, &released);
	return STORE_OK;
}

/* Make the hold; STORE_HELD: there is one. */
static enum store_result
make_hold(struct store *store)
{
	struct http_answer answer;
	struct http_request request = {
		.method = HTTP_PUT, .path = hold_path(store),
		.body = hold_text(store), .etag = STR("*"),
	};
	for (int tries = 1;; tries++) {
		enum store_result result = store_ask(store, &request,
		    &answer);
		if (result != STORE_OK)
			return result;
		if (answer.status != 409 || tries >= STORE_TRIES ||
		    !store->link.sleep(store->link.ctx, SECOND_MS))
			break;
	}
	if (answer.status == 200) {
		store->hold_version = answer.etag;
		return STORE_OK;
	}
	return answer.status == 412 || answer.status == 409 ? STORE_HELD :
	    store_refuse(store, "make a hold", &answer);
}

static enum store_result
take(struct store *store, struct mutex_holder *other)
{
	enum store_result result = make_hold(store);

	if (result != STORE_HELD)
		return result;
	result = holder(store, other);
	if (result == STORE_MISSING)	/* it has gone this moment */
		return STORE_HELD;
	if (result != STORE_OK)
		return result;
	return store_is_own(store, other) ? STORE_OK : STORE_HELD;
}

/* A store that does as it is told refuses what exists. */
static enum store_result
probe(struct store *store)
{
	enum store_result result = make_hold(store);

	if (result == STORE_HELD)
		return STORE_OK;
	if (result != STORE_OK)
		return result;
	diag_error(store->diags, "PF0625", NO_SPAN, "the record's store '"
	    STR_FMT "' ignores conditions (If-None-Match): it cannot tell two "
	    "writers apart", STR_ARG(store->place.shown));
	diag_hint(store->diags, "nothing was sent; use a store that knows "
	    "conditional writes, such as Amazon S3 or MinIO of today");
	return STORE_REFUSED;
}

/* If-Match keeps us from removing the hold of somebody else, where the
 * service knows it. */
static enum store_result
end_hold(struct store *store)
{
	struct http_answer answer;
	struct http_request request = {
		.method = HTTP_DELETE, .path = hold_path(store),
		.if_match = store->hold_version,
	};
	enum store_result result = store_ask(store, &request, &answer);

	if (result != STORE_OK)
		return result;
	switch (answer.status) {
	case 200: case 204: case 404:
		return STORE_OK;
	case 412: case 409:
		return STORE_CHANGED;
	default:
		return store_refuse(store, "end its hold", &answer);
	}
}

static enum store_result
read_record(struct store *store, struct str *text)
{
	struct http_answer answer;
	struct http_request request = {
		.method = HTTP_GET, .path = store->place.path,
		.max_body = LOCK_BYTES_MAX,
	};
	enum store_result result = store_ask(store, &request, &answer);

	if (result != STORE_OK)
		return result;
	/* Somebody may list no buckets and still have a typing error. */
	if (answer.status == 404 && str_search(answer.body,
	    STR("NoSuchBucket")) < 0)
		return STORE_MISSING;
	if (answer.status != 200)
		return store_refuse(store, "read it", &answer);
	if (answer.etag.len == 0) {
		diag_error(store->diags, "PF0625", NO_SPAN, "the record's "
		    "store '" STR_FMT "' gives no ETag",
		    STR_ARG(store->place.shown));
		return STORE_REFUSED;
	}
	store->version = answer.etag;
	*text = answer.body;
	return STORE_OK;
}

static enum store_result
write_record(struct store *store, struct str text)
{
	bool is_new = store->version.len == 0;
	struct http_answer answer;
	struct http_request request = {
		.method = HTTP_PUT, .path = store->place.path, .body = text,
		.etag = is_new ? STR("*") : (struct str){0},
		.if_match = store->version,
	};

	store_ask_once(store, &request, &answer);
	if (store_may_pass(&answer) || answer.status == 409)
		return STORE_UNKNOWN;
	if (answer.status == 412 || (answer.status == 404 && !is_new))
		return STORE_CHANGED;
	if (answer.status != 200)
		return store_refuse(store, "write it", &answer);
	store->version = answer.etag;
	return answer.etag.len > 0 ? STORE_OK : STORE_UNKNOWN;
}

/* Of a record that begins with a broken hold: as random as its id. */
static struct id128
lineage_of(const struct store *store, const struct mutex_holder *broken)
{
	struct crc crc;
	struct id128 lineage = {0};
	uint64_t half;

	crc_init(&crc);
	half = crc_add(&crc, 0, broken->id);
	crc_hex(half, lineage.hex);
	half = crc_add(&crc, half, store->hold_version);
	crc_hex(half, lineage.hex + CRC_HEX);
	return lineage;
}

/*
 * An empty record, or the same one under the next serial: a text with another ETag, so that
 * the next write of whoever thinks to have the hold is refused.
 */
static enum store_result
fence(struct store *store, const struct mutex_holder *broken)
{
	struct diags quiet = { .arena = store->arena };
	struct strbuf out = {0};
	struct str text = {0};
	enum store_result result = read_record(store, &text);

	if (result == STORE_MISSING) {
		struct lock first = { .version = LOCK_VERSION, .serial = 1,
			.lineage = lineage_of(store, broken) };
		lock_write_text(&out, &first);
		result = write_record(store, strbuf_str(&out));
		strbuf_release(&out);
		return result;
	}
	if (result != STORE_OK)
		return result;
	struct lock *lock = text_read(store->arena, "", text, NULL, &quiet);
	if (lock == NULL)	/* nobody of ours can be writing this */
		return STORE_OK;
	lock->serial++;
	lock_write_text(&out, lock);
	result = write_record(store, strbuf_str(&out));
	strbuf_release(&out);
	return result;
}

static enum store_result
end(struct store *store, const struct mutex_holder *holder)
{
	enum store_result result;

	for (int tries = 1;; tries++) {
		result = fence(store, holder);
		if ((result != STORE_CHANGED && result != STORE_UNKNOWN) ||
		    tries >= STORE_TRIES)
			break;
	}
	if (result != STORE_OK)
		return result;
	PROBE("store_hold_is_broken");
	return end_hold(store);
}

const struct store_driver store_s3 = {
	.take = take, .release = end_hold, .holder = holder, .end = end,
	.read = read_record, .write = write_record, .probe = probe,
};
