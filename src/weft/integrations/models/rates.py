"""Requests and tokens per minute, calls at once, and pauses: the arithmetic, in Redis for all workers, and here for one alone.

Rates are kept as `kit.even_rate` says. A burst is a twentieth of a minute's share, and the even rate is lowered by as much,
so that no minute ever sees more than the limit.
"""

from dataclasses import dataclass, field

from weft.domain.providers import ProviderLimits
from weft.kit.even_rate import MINUTE_US, EvenRate

BURST_SHARE = 20
SLOT_SECONDS = 30
"""How long a call under way is counted without being renewed: after it, a worker that died holds no places any more."""
FULL = -1
NO_RATE = EvenRate(0, 0)
KEPT_SECONDS = 7_200
"""Longer than any pause."""

ADMIT = """
local request_cost, request_burst, token_burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local most, slot_seconds, corrected, returned = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[7]), tonumber(ARGV[8])
local worker, held = ARGV[9], tonumber(ARGV[10])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
if returned > 0 then redis.call('ZREM', KEYS[2], unpack(ARGV, 11, 10 + returned)) end
local kept = redis.call('HMGET', KEYS[1], 'requests', 'tokens', 'paused')
local requests, tokens = tonumber(kept[1]) or 0, math.max(0, (tonumber(kept[2]) or 0) + corrected)
local wait, let_in, next, free = (tonumber(kept[3]) or 0) - now, 0, 11 + returned, math.huge
local share = most
if most > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
  local others = redis.call('ZCARD', KEYS[3])
  if redis.call('ZSCORE', KEYS[3], worker) then others = others - 1 end
  share = math.ceil(most / (others + 1))
  free = math.min(most - redis.call('ZCARD', KEYS[2]), share - held)
end
while wait <= 0 and next < #ARGV do
  if request_cost > 0 then wait = math.max(wait, requests - now - request_burst) end
  if token_burst > 0 then wait = math.max(wait, tokens - now - token_burst) end
  if wait > 0 then break end
  if let_in >= free then wait = -1 break end
  if most > 0 then redis.call('ZADD', KEYS[2], string.format('%.0f', now + slot_seconds * 1000000), ARGV[next]) end
  requests, tokens = math.max(requests, now) + request_cost, math.max(tokens, now) + ARGV[next + 1]
  let_in, next, wait = let_in + 1, next + 2, 0
end
if let_in > 0 or corrected ~= 0 then
  redis.call('HSET', KEYS[1], 'requests', string.format('%.0f', requests), 'tokens', string.format('%.0f', tokens))
  redis.call('EXPIRE', KEYS[1], ARGV[6])
  if most > 0 then redis.call('EXPIRE', KEYS[2], slot_seconds * 2) end
end
if most > 0 and wait == -1 then
  redis.call('ZADD', KEYS[3], string.format('%.0f', now + 1000000), worker)
  redis.call('EXPIRE', KEYS[3], 60)
elseif most > 0 then
  redis.call('ZREM', KEYS[3], worker)
end
return {let_in, string.format('%.0f', wait), share}
"""
"""Takes what calls give back and lets in those that stand first in line: how many; the microseconds that the next one has to
wait, or -1 where no place is free; and how many places are this worker's share. Workers whose calls wait share alike, so
that the one call of one worker does not wait for the thousands of another.
"""

RENEW = """
local time = redis.call('TIME')
local till = string.format('%.0f', time[1] * 1000000 + time[2] + ARGV[1] * 1000000)
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'XX', till, ARGV[i]) end
redis.call('EXPIRE', KEYS[1], ARGV[1] * 2)
"""

PAUSE = """
local time = redis.call('TIME')
local till = time[1] * 1000000 + time[2] + ARGV[1]
if till > (tonumber(redis.call('HGET', KEYS[1], 'paused')) or 0) then
  redis.call('HSET', KEYS[1], 'paused', string.format('%.0f', till))
  redis.call('EXPIRE', KEYS[1], ARGV[2])
end
"""


@dataclass(frozen=True, slots=True)
class Costs:
    """What the limits make of one call, in microseconds of an evenly spread minute; 0 where there is no limit."""

    requests: EvenRate
    token_us: float
    """Of one token."""
    token_burst_us: int
    most_at_once: int

    @classmethod
    def of(cls, limits: ProviderLimits) -> "Costs":
        requests, tokens = limits.requests_per_minute, limits.tokens_per_minute
        burst = max(1, (requests or 0) // BURST_SHARE)
        even = NO_RATE if requests is None else EvenRate.per_minute(requests - burst + 1, burst)
        return cls(
            even,
            0.0 if tokens is None else MINUTE_US / tokens * BURST_SHARE / (BURST_SHARE - 1),
            0 if tokens is None else MINUTE_US // BURST_SHARE,
            limits.concurrency or 0,
        )

    def of_tokens(self, tokens: int) -> int:
        return round(self.token_us * tokens)


@dataclass(slots=True)
class LocalRates:
    """The same for one worker alone, while Redis is away. Times are this process's own, in microseconds."""

    costs: Costs
    requests_till: int = 0
    tokens_till: int = 0
    members: set[str] = field(default_factory=set[str])

    def admit(self, now: int, tokens_us: int, member: str) -> int:
        """The microseconds to wait; 0 where the call may begin, `FULL` where no place is free."""
        costs, wait = self.costs, 0
        if costs.requests.each_us:
            wait = costs.requests.wait(self.requests_till, now)
        if costs.token_burst_us:
            wait = max(wait, self.tokens_till - now - costs.token_burst_us)
        if wait > 0:
            return wait
        if costs.most_at_once:
            if len(self.members) >= costs.most_at_once:
                return FULL
            self.members.add(member)
        self.requests_till = costs.requests.after(self.requests_till, now)
        self.tokens_till = max(self.tokens_till, now) + tokens_us
        return 0

    def give_back(self, member: str, tokens_us: int) -> None:
        """The place of a call, and what its tokens were estimated wrong by."""
        self.members.discard(member)
        self.tokens_till += tokens_us
