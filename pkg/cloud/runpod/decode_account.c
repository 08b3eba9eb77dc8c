/* decode_account.c - the account, as GraphQL reports it, and its SSH keys, as
 * REST v2 does; see decode.h */
#include "base/units.h"
#include "cloud/runpod/decode.h"

/* Like json_read_usd(), for an amount that may be below zero. */
static bool
read_balance(struct json_reader *reader, struct json_value object,
    const char *key, int64_t *microusd)
{
	struct json_value value = json_get(object, key);
	if (!json_exists(value) || json_type(value) == JSON_NULL)
		return false;
	struct str text = json_text(value);
	bool negative = str_starts(text, STR("-"));
	if (!json_is(value, JSON_NUMBER) ||
	    !parse_usd_number(str_sub(text, negative, text.len), microusd)) {
		json_fail(reader, key, "amount of money");
		return false;
	}
	if (negative)
		*microusd = -*microusd;
	return true;
}

/*
 * GraphQL answers 200 to nearly everything.  Errors beside data, or no data,
 * is a failed read; the one that the user can mend is a refused key, said
 * as "Unauthorized" or as a `myself` that is null.
 */
static bool
decode_errors(struct json_reader *reader, struct json_value root,
    struct cloud_answer *out)
{
	struct json_value errors = json_get(root, "errors");
	struct str message = {0};

	if (!json_exists(errors))
		return false;
	out->outcome = OUTCOME_UNKNOWN;
	out->reason = REASON_TRANSIENT;
	struct json_iter it = json_iter(errors);
	if (json_next(&it))
		json_read_str(reader, it.value, "message", OPTIONAL, &message);
	out->message = message.data != NULL ? message : STR("unknown error");
	if (str_search_fold(message, STR("unauthorized")) >= 0) {
		out->outcome = OUTCOME_NO_EFFECT;
		out->reason = REASON_AUTH;
	}
	return true;
}

void
decode_account(struct json_reader *reader, struct json_value root,
    struct cloud_answer *out)
{
	struct account *account = &out->account;
	struct json_value data, myself;

	if (decode_errors(reader, root, out) ||
	    !json_read_object(reader, root, "data", REQUIRED, &data))
		return;
	if (!json_read_object(reader, data, "myself", NULLABLE, &myself)) {
		if (!json_exists(json_get(data, "myself")))
			json_fail(reader, "myself", "object");
		if (reader->failed)
			return;
		out->outcome = OUTCOME_NO_EFFECT;
		out->reason = REASON_AUTH;
		out->message = STR("the key belongs to no account");
		return;
	}
	json_read_str(reader, myself, "id", REQUIRED, &account->id);
	json_read_str(reader, myself, "email", NULLABLE, &account->email);
	/* An overdrawn account has a negative balance. */
	account->balance_known = read_balance(reader, myself,
	    "clientBalance", &account->balance);
	json_read_usd(reader, myself, "currentSpendPerHr", NULLABLE,
	    &account->spend_per_hour);
	json_read_usd(reader, myself, "spendLimit", NULLABLE,
	    &account->spend_limit);
}

/*
 * A key goes into a file of lines on the pod: one that holds a line end
 * would be two, and the second one nobody's.
 */
static bool
is_one_line(struct str key)
{
	for (size_t i = 0; i < key.len; i++)
		if ((unsigned char)key.data[i] < ' ' && key.data[i] != '\t')
			return false;
	return key.len > 0;
}

void
decode_ssh_keys(struct json_reader *reader, struct json_value root,
    struct cloud_answer *out)
{
	struct json_value list;

	if (!json_read_array(reader, root, "keys", REQUIRED, &list))
		return;
	struct json_iter it = json_iter(list);
	out->ssh_keys = ARENA_ARRAY(reader->arena, struct str,
	    json_count(list));
	while (!reader->failed && json_next(&it)) {
		struct str key = {0};
		if (json_value_str(reader, it.value, &key) &&
		    !is_one_line(str_trim(key)))
			json_fail(reader, "keys", "a key in one line");
		out->ssh_keys[out->nssh_keys++] = str_trim(key);
	}
}
