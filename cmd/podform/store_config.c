/* store_config.c - see store_config.h */
#include "store_config.h"

#include <string.h>

static struct str
either(const char *first, const char *second)
{
	struct str value = app_variable(first);

	return value.len > 0 || second == NULL ? value :
	    app_variable(second);
}

static void
set_login(struct store_config *store, struct str name, struct str password)
{
	struct strbuf text = {0};

	if (name.len == 0 && password.len == 0)
		return;
	strbuf_addf(&text, STR_FMT ":" STR_FMT, STR_ARG(name),
	    STR_ARG(password));
	store->login = secret_new(strbuf_str(&text));
	explicit_bzero(text.data, text.cap);
	strbuf_release(&text);
}

static void
find_login(struct store_config *store)
{
	bool is_s3 = store->place.kind == STORE_S3;
	struct str token = app_variable(is_s3 ? "AWS_SESSION_TOKEN" :
	    "PODFORM_STORE_TOKEN");

	if (is_s3)
		set_login(store, app_variable("AWS_ACCESS_KEY_ID"),
		    app_variable("AWS_SECRET_ACCESS_KEY"));
	else
		set_login(store, either("PODFORM_STORE_USERNAME",
		    "TF_HTTP_USERNAME"), either("PODFORM_STORE_PASSWORD",
		    "TF_HTTP_PASSWORD"));
	if (token.len > 0 && (is_s3 || store->login.len_ == 0))
		store->token = secret_new(token);
}

bool
store_config_find(struct app *app, struct store_config *out)
{
	struct str url = app->options->lock;

	return store_config_of(app, url.len > 0 ? url : STR("podform.lock"),
	    out);
}

bool
store_config_of(struct app *app, struct str url, struct store_config *out)
{
	struct str why;

	*out = (struct store_config){0};
	if (!store_parse(&app->arena, url, &out->place, &why)) {
		app_fail(app, 0, "PF0630", "--lock '" STR_FMT "': " STR_FMT,
		    STR_ARG(url), STR_ARG(why));
		return false;
	}
	if (out->place.kind == STORE_S3 && out->place.region.len == 0)
		out->place.region = either("AWS_REGION",
		    "AWS_DEFAULT_REGION");
	if (out->place.kind == STORE_S3 && out->place.region.len == 0)
		out->place.region = STR("us-east-1");
	if (out->place.kind != STORE_FILE)
		find_login(out);
	return true;
}

void
store_config_connect(struct app *app, const struct store_config *store,
    struct io_config *config)
{
	const struct store_place *place = &store->place;

	if (place->kind == STORE_FILE)
		return;
	config->store_url = place->base;
	/* etcd wants its login in a request, for a token of its own. */
	if (secret_is_set(&store->login) && place->kind != STORE_ETCD)
		config->store_login = &store->login;
	if (secret_is_set(&store->token))
		config->store_token = &store->token;
	if (place->kind == STORE_S3 && config->store_login != NULL)
		config->store_sign = arena_printf(&app->arena, "aws:amz:"
		    STR_FMT ":s3", STR_ARG(place->region));
}

void
store_config_release(struct store_config *store)
{
	secret_release(&store->login);
	secret_release(&store->token);
}
