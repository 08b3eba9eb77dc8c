/* rng.h - chance from a seed: xoshiro256** started by splitmix64 (public
 * domain algorithms by Blackman and Vigna), in our own words. */
#ifndef SIMULATION_RNG_H
#define SIMULATION_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng { uint64_t s[4]; };

static inline uint64_t
rng_mix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static inline void
rng_seed(struct rng *rng, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		rng->s[i] = rng_mix(&seed);
}

static inline uint64_t
rng_next(struct rng *rng)
{
	uint64_t *s = rng->s;
	uint64_t r = s[1] * 5, t = s[1] << 17;
	r = (r << 7 | r >> 57) * 9;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = s[3] << 45 | s[3] >> 19;
	return r;
}

/* 0 .. n-1 */
static inline uint64_t
rng_below(struct rng *rng, uint64_t n)
{
	return n == 0 ? 0 : rng_next(rng) % n;
}

/* lo .. hi, both included */
static inline int64_t
rng_range(struct rng *rng, int64_t lo, int64_t hi)
{
	return lo + (int64_t)rng_below(rng, (uint64_t)(hi - lo) + 1);
}

static inline bool
rng_chance(struct rng *rng, unsigned per_mille)
{
	return rng_below(rng, 1000) < per_mille;
}

#endif
