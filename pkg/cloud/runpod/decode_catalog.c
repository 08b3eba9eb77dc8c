/* decode_catalog.c - volumes, GPU types, data centers; see decode.h */
#include "cloud/runpod/decode.h"

enum { NAME_MAX_LEN = 128 };

void
decode_volume(struct json_reader *reader, struct json_value value,
    struct cloud_volume *volume)
{
	struct str type = {0};

	if (!json_is(value, JSON_OBJECT)) {
		json_fail(reader, NULL, "volume");
		return;
	}
	decode_id(reader, value, "id", &volume->id);
	json_read_str(reader, value, "name", REQUIRED, &volume->name);
	json_read_int(reader, value, "size", REQUIRED, 0, INT32_MAX,
	    &volume->size_gb);
	decode_id(reader, value, "dataCenter", &volume->data_center);
	json_read_str(reader, value, "type", NULLABLE, &type);
	volume->high_performance = str_is(type, "HIGH_PERFORMANCE");
}

static enum stock
read_stock(struct json_reader *reader, struct json_value value)
{
	static const struct {
		const char *word;
		enum stock stock;
	} words[] = {
		{ "NONE", STOCK_NONE }, { "LOW", STOCK_LOW },
		{ "MEDIUM", STOCK_MEDIUM }, { "HIGH", STOCK_HIGH },
	};
	struct str word = {0};
	json_read_str(reader, value, "availability", NULLABLE, &word);
	for (size_t i = 0; i < COUNTOF(words); i++)
		if (str_eq_fold(word, str_from(words[i].word)))
			return words[i].stock;
	return STOCK_UNKNOWN;
}

static void
read_places(struct json_reader *reader, struct json_value value,
    struct gpu_type *gpu)
{
	struct json_value list;
	if (!json_read_array(reader, value, "dataCenters", NULLABLE, &list))
		return;
	struct json_iter it = json_iter(list);
	gpu->places = ARENA_ARRAY(reader->arena, struct gpu_place,
	    json_count(list));
	while (!reader->failed && json_next(&it)) {
		struct gpu_place *place = &gpu->places[gpu->nplaces++];
		decode_id(reader, it.value, "id", &place->data_center);
		place->stock = read_stock(reader, it.value);
	}
}

static void
read_cuda(struct json_reader *reader, struct json_value value,
    struct gpu_type *gpu)
{
	struct json_value list;
	if (!json_read_array(reader, value, "cudaVersions", NULLABLE, &list))
		return;
	struct json_iter it = json_iter(list);
	gpu->cuda = ARENA_ARRAY(reader->arena, struct str, json_count(list));
	while (!reader->failed && json_next(&it))
		json_read_str(reader, it.value, "version", REQUIRED,
		    &gpu->cuda[gpu->ncuda++]);
}

/*
 * The price of one GPU-hour.  Where the flag says that a tier does not have
 * the type, the figures are placeholders (0, 0.5) and are not read.
 */
static int64_t
read_price(struct json_reader *reader, struct json_value price,
    const char *tier, bool offered)
{
	int64_t microusd = -1;
	if (!offered ||
	    !json_read_usd(reader, price, tier, NULLABLE, &microusd))
		return -1;
	return microusd;
}

void
decode_gpu(struct json_reader *reader, struct json_value value,
    struct gpu_type *gpu)
{
	struct json_value price = {0}, most = {0};

	if (!json_is(value, JSON_OBJECT)) {
		json_fail(reader, NULL, "gpu type");
		return;
	}
	json_read_str(reader, value, "id", REQUIRED, &gpu->id);
	if (!reader->failed && (gpu->id.len < 1 || gpu->id.len > NAME_MAX_LEN))
		json_fail(reader, "id", "gpu id");
	json_read_str(reader, value, "name", REQUIRED, &gpu->name);
	json_read_int(reader, value, "memory", REQUIRED, 0, INT32_MAX,
	    &gpu->memory_gb);
	json_read_bool(reader, value, "secure", REQUIRED, &gpu->secure);
	json_read_bool(reader, value, "community", REQUIRED, &gpu->community);
	json_read_object(reader, value, "price", NULLABLE, &price);
	gpu->secure_price = read_price(reader, price, "secure", gpu->secure);
	gpu->community_price = read_price(reader, price, "community",
	    gpu->community);
	json_read_object(reader, value, "maxCount", NULLABLE, &most);
	json_read_int(reader, most, "secure", NULLABLE, 0, 1024,
	    &gpu->max_secure);
	json_read_int(reader, most, "community", NULLABLE, 0, 1024,
	    &gpu->max_community);
	gpu->stock = read_stock(reader, value);
	read_places(reader, value, gpu);
	read_cuda(reader, value, gpu);
}

void
decode_data_center(struct json_reader *reader, struct json_value value,
    struct data_center *data_center)
{
	struct json_value types;

	if (!json_is(value, JSON_OBJECT)) {
		json_fail(reader, NULL, "data center");
		return;
	}
	decode_id(reader, value, "id", &data_center->id);
	json_read_str(reader, value, "name", REQUIRED, &data_center->name);
	json_read_str(reader, value, "region", NULLABLE,
	    &data_center->region);
	if (json_read_array(reader, value, "networkVolumeTypes", NULLABLE,
		&types))
		data_center->volumes = json_count(types) > 0;
}
