/*
 * store_http.c - the protocol of Terraform's http backend.
 *
 * GET and POST of one address, LOCK and UNLOCK with a description of the
 * holder, whose ID the writes name.  A server knows by it that a hold was
 * broken.  GitLab speaks it with POST and DELETE of .../lock instead.
 */
#include "lock/store_driver.h"

#include "base/units.h"
#include "lock/lock.h"

static bool
is_good(const struct http_answer *answer)
{
	return answer->status == 200 || answer->status == 201 ||
	    answer->status == 204;
}

/* 423 is WebDAV's "locked", which Terraform asks for; some say 409. */
static bool
is_held(const struct http_answer *answer)
{
	return answer->status == 423 || answer->status == 409;
}

/* The record's address, or its hold's, with the id of a hold. */
static struct str
address(struct store *store, bool hold, struct str id)
{
	const struct store_place *place = &store->place;

	if (hold && !place->gitlab)
		id = (struct str){0};		/* the body says it */
	return arena_printf(store->arena, STR_FMT "%s" STR_FMT "%s" STR_FMT,
	    STR_ARG(place->path), hold && place->gitlab ? "/lock" : "",
	    STR_ARG(place->query), id.len == 0 ? "" :
	    place->query.len > 0 ? "&ID=" : "?ID=", STR_ARG(id));
}

static struct str
info(struct store *store, const struct mutex_holder *holder)
{
	struct strbuf text = {0};

	holder_put_info(&text, holder);
	struct str kept = arena_str(store->arena, strbuf_str(&text));
	strbuf_release(&text);
	return kept;
}

static enum store_result
take(struct store *store, struct mutex_holder *other)
{
	struct http_answer answer;
	struct http_request request = {
		.method = store->place.gitlab ? HTTP_POST : HTTP_LOCK,
		.path = address(store, true, (struct str){0}),
		.body = info(store, &store->self),
	};
	enum store_result result = store_ask(store, &request, &answer);

	if (result != STORE_OK)
		return result;
	if (is_good(&answer))
		return STORE_OK;
	if (!is_held(&answer)) {
		result = store_refuse(store, "lock it", &answer);
		if (answer.status == 404 || answer.status == 405 ||
		    answer.status == 501)
			diag_hint(store->diags, "podform needs a store that "
			    "locks: two runs at once would lose machines");
		return result;
	}
	holder_get_info(store->arena, answer.body, other);
	/* The answer to our first try was lost. */
	return store_is_own(store, other) ? STORE_OK : STORE_HELD;
}

static enum store_result
unlock(struct store *store, const struct mutex_holder *holder)
{
	struct http_answer answer;
	struct http_request request = {
		.method = store->place.gitlab ? HTTP_DELETE : HTTP_UNLOCK,
		.path = address(store, true, holder->id),
		.body = store->place.gitlab ? (struct str){0} :
		    info(store, holder),
	};
	enum store_result result = store_ask(store, &request, &answer);

	if (result != STORE_OK)
		return result;
	return is_good(&answer) ? STORE_OK : is_held(&answer) ?
	    STORE_CHANGED : store_refuse(store, "unlock it", &answer);
}

static enum store_result
release(struct store *store)
{
	return unlock(store, &store->self);
}

/* There is no such question.  Trying to lock would be one, and not a safe
 * one: its answer could be lost. */
static enum store_result
holder(struct store *store, struct mutex_holder *out)
{
	(void)store, (void)out;
	return STORE_MISSING;
}

static enum store_result
read_record(struct store *store, struct str *text)
{
	struct http_answer answer;
	struct http_request request = {
		.method = HTTP_GET,
		.path = address(store, false, (struct str){0}),
		.max_body = LOCK_BYTES_MAX,
	};
	enum store_result result = store_ask(store, &request, &answer);

	if (result != STORE_OK)
		return result;
	if (answer.status == 404 || answer.status == 204 ||
	    (answer.status == 200 && answer.body.len == 0))
		return STORE_MISSING;
	if (answer.status != 200)
		return store_refuse(store, "read it", &answer);
	*text = answer.body;
	return STORE_OK;
}

static enum store_result
write_record(struct store *store, struct str text)
{
	struct http_answer answer;
	struct http_request request = {
		.method = HTTP_POST,
		.path = address(store, false, store->self.id),
		.body = text,
	};

	store_ask_once(store, &request, &answer);
	if (store_may_pass(&answer))
		return STORE_UNKNOWN;
	if (is_good(&answer))
		return STORE_OK;
	return is_held(&answer) ? STORE_LOST :
	    store_refuse(store, "write it", &answer);
}

const struct store_driver store_http = {
	.take = take, .release = release, .holder = holder, .end = unlock,
	.read = read_record, .write = write_record,
};
