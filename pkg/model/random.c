/*
 * random.c - all chance of the model, and the texts made from it.
 *
 * xoshiro256** (Blackman and Vigna, public domain), seeded through
 * splitmix64: the same seed gives the same stream on every machine.
 */
#include "model/private.h"

void
model_rng_seed(struct model_rng *rng, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		rng->s[i] = z ^ z >> 31;
	}
}

static uint64_t
rotate(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

uint64_t
model_random(struct model_rng *rng)
{
	uint64_t *s = rng->s;
	uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

uint64_t
model_random_below(struct model_rng *rng, uint64_t n)
{
	return n == 0 ? 0 : model_random(rng) % n;
}

static struct str
random_text(struct model *model, size_t length, const char *letters,
    uint64_t nletters)
{
	char *text = arena_alloc(&model->arena, length + 1);

	for (size_t i = 0; i < length; i++)
		text[i] = letters[model_random_below(&model->rng, nletters)];
	return (struct str){ text, length };
}

struct str
model_random_id(struct model *model, size_t length)
{
	return random_text(model, length,
	    "abcdefghijklmnopqrstuvwxyz0123456789", 36);
}

struct str
model_random_hex(struct model *model, size_t length)
{
	return random_text(model, length, "0123456789abcdef", 16);
}
