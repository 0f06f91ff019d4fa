-- The independent re-performance: which payments exceed a limit, end a split or repeat another.
-- It is written from docs/verification.md and shares nothing with cardwatch/features and
-- cardwatch/rules. Sums are pence. It reads four tables:
--   payments      number (in order of day, file and row), day, holder, merchant, alias, category,
--                 pence, kind, doubled, card_single_pence, card_month_pence
--   limits        entry (in order of the policy), kind, since, holder (NULL: everybody), pence,
--                 vat, stated
--   split_windows days
--   figures       materiality_pence, habit_days

-- 1. The limits in force. Of the entries whose first day is not after the payment's, one for the
--    cardholder comes before one for everybody, then the latest, then the last in the policy.
CREATE TEMP TABLE limits_with_vat AS
SELECT entry, kind, since, holder, stated,
       CASE WHEN vat = 'excluded' THEN (pence * 6 + 2) // 5 ELSE pence END AS limit_pence,
       CASE WHEN vat = 'included' THEN pence ELSE (pence * 6 + 2) // 5 END AS sure_pence
FROM limits;

CREATE TEMP TABLE limits_in_force AS
SELECT number, kind, limit_pence, sure_pence, stated
FROM (
    SELECT p.number, l.kind, l.limit_pence, l.sure_pence, l.stated, l.holder, l.since, l.entry
    FROM payments AS p JOIN limits_with_vat AS l ON l.holder IS NULL AND l.since <= p.day
    UNION ALL
    SELECT p.number, l.kind, l.limit_pence, l.sure_pence, l.stated, l.holder, l.since, l.entry
    FROM payments AS p JOIN limits_with_vat AS l ON l.holder = p.holder AND l.since <= p.day
)
QUALIFY row_number() OVER (
    PARTITION BY number, kind ORDER BY holder IS NULL, since DESC, entry DESC
) = 1;

-- 2. Each payment with its limits: a limit in the card register comes before the policy's, and is
--    meant as it stands. No limit is 0. A purchase is of more than nothing.
CREATE TEMP TABLE ready AS
SELECT p.number, p.day, p.holder, p.merchant, p.alias, p.category, p.pence, p.doubled,
       p.kind = 'purchase' AND p.pence > 0 AS is_purchase,
       p.kind = 'refund' AS is_refund,
       CASE WHEN p.card_single_pence > 0 THEN p.card_single_pence
            ELSE coalesce(s.limit_pence, 0) END AS single_pence,
       CASE WHEN p.card_single_pence > 0 THEN p.card_single_pence
            ELSE coalesce(s.sure_pence, 0) END AS single_sure_pence,
       p.card_single_pence > 0 OR coalesce(s.stated, false) AS single_stated,
       CASE WHEN p.card_month_pence > 0 THEN p.card_month_pence
            ELSE coalesce(m.limit_pence, 0) END AS month_pence,
       p.card_month_pence > 0 OR coalesce(m.stated, false) AS month_stated,
       coalesce(t.limit_pence, 0) AS step_pence,
       coalesce(t.sure_pence, 0) AS step_sure_pence
FROM payments AS p
LEFT JOIN limits_in_force AS s ON s.number = p.number AND s.kind = 'single_purchase'
LEFT JOIN limits_in_force AS m ON m.number = p.number AND m.kind = 'holder_month'
LEFT JOIN limits_in_force AS t ON t.number = p.number AND t.kind = 'step';

-- 3. Refunds in full. In the order of days, charges of a day before its refunds, a refund answers
--    the latest charge of its sum by its merchant to its cardholder that none has answered. Charges
--    open a level and refunds close it, as brackets do; a refund with nothing open closes nothing.
CREATE TEMP TABLE refunds AS
WITH steps AS (
    SELECT number, holder, merchant, abs(pence) AS size, day, is_refund,
           row_number() OVER (
               PARTITION BY holder, merchant, abs(pence) ORDER BY day, is_refund, number
           ) AS place
    FROM ready WHERE is_purchase OR is_refund
), balances AS (
    SELECT *, sum(CASE WHEN is_refund THEN -1 ELSE 1 END) OVER (
               PARTITION BY holder, merchant, size ORDER BY place
           ) AS balance
    FROM steps
), depths AS (
    SELECT *, balance - least(0, min(balance) OVER (
               PARTITION BY holder, merchant, size ORDER BY place
           )) AS depth
    FROM balances
), levels AS (
    SELECT *, CASE WHEN is_refund THEN lag(depth, 1, 0) OVER (
               PARTITION BY holder, merchant, size ORDER BY place
           ) ELSE depth END AS level
    FROM depths
), answers AS (
    SELECT number, is_refund,
           lead(is_refund) OVER same_level AS is_answered, lead(day) OVER same_level AS answered_on
    FROM levels
    WINDOW same_level AS (PARTITION BY holder, merchant, size, level ORDER BY place)
)
SELECT number, answered_on AS refunded_on FROM answers WHERE NOT is_refund AND is_answered;

CREATE TEMP TABLE bought AS
SELECT r.*, f.refunded_on FROM ready AS r LEFT JOIN refunds AS f USING (number) WHERE is_purchase;

-- 4. Splits. A part is a purchase within the limit of its day, on a day that is not loaded twice,
--    by a known cardholder with a known seller.
CREATE TEMP TABLE parts AS
SELECT * FROM (
    SELECT 'limit' AS search, number, holder, merchant AS seller, merchant, day, pence,
           refunded_on, single_pence AS limit_pence, single_sure_pence AS sure_pence
    FROM bought WHERE NOT doubled
    UNION ALL
    SELECT 'alias', number, holder, alias, merchant, day, pence,
           refunded_on, single_pence, single_sure_pence
    FROM bought WHERE NOT doubled
    UNION ALL
    SELECT 'category', number, holder, category, merchant, day, pence,
           refunded_on, single_pence, single_sure_pence
    FROM bought WHERE NOT doubled
    UNION ALL
    SELECT 'step', number, holder, merchant, merchant, day, pence,
           refunded_on, step_pence, step_sure_pence
    FROM bought WHERE NOT doubled
) WHERE limit_pence > 0 AND pence <= limit_pence AND holder <> '' AND seller <> '';

--    A window ends on a day with a part, and reaches so many days back; those of a category are of
--    one day. Its limit is the highest of the parts of its last day. Parts above it, and those
--    refunded on or before its last day, are out.
CREATE TEMP TABLE window_parts AS
WITH closings AS (
    SELECT search, holder, seller, day AS closing, max(limit_pence) AS top
    FROM parts GROUP BY ALL
), spans AS (
    SELECT DISTINCT search, days FROM (VALUES ('limit'), ('alias'), ('step')) AS s (search),
           split_windows
    UNION ALL SELECT 'category', 0
)
SELECT c.search, c.holder, c.seller, c.closing, c.top, s.days, p.number, p.merchant, p.day, p.pence
FROM closings AS c
JOIN spans AS s USING (search)
JOIN parts AS p ON p.search = c.search AND p.holder = c.holder AND p.seller = c.seller
    AND p.day BETWEEN c.closing - s.days AND c.closing
WHERE p.pence <= c.top AND (p.refunded_on IS NULL OR p.refunded_on > c.closing);

--    It counts if two parts or more exceed the limit together and its last day has one of them.
--    Needed are the fewest that exceed it: the largest first, while those before do not exceed it.
CREATE TEMP TABLE split_totals AS
WITH running AS (
    SELECT *, sum(pence) OVER (
               PARTITION BY search, holder, seller, closing, days ORDER BY pence DESC, number
               ROWS UNBOUNDED PRECEDING
           ) - pence AS larger_pence
    FROM window_parts
)
SELECT search, holder, seller, closing, days, top, count(*) AS count, sum(pence) AS total,
       min(day) AS first_day, count(*) FILTER (larger_pence <= top) AS needed,
       count(DISTINCT merchant) AS merchants
FROM running GROUP BY ALL
HAVING total > top AND count(*) > 1 AND max(day) = closing;

--    Under several names, or in one category, it has to be of two merchants or more. Of the windows
--    of a day those count that need the fewest parts. Earlier days are those of the year before
--    its last day, and before its first part, on which a window of the same kind ended.
CREATE TEMP TABLE best_splits AS
WITH fewest AS (
    SELECT * FROM split_totals
    WHERE search IN ('limit', 'step') OR merchants > 1
    QUALIFY needed = min(needed) OVER (PARTITION BY search, holder, seller, closing)
), ends AS (
    SELECT DISTINCT search, holder, seller, closing AS ended_on FROM split_totals
)
SELECT f.search, f.holder, f.seller, f.closing, f.top, f.count, f.total, f.needed, f.merchants,
       f.closing - f.first_day AS span, count(DISTINCT e.ended_on) AS earlier
FROM fewest AS f
LEFT JOIN ends AS e ON e.search = f.search AND e.holder = f.holder AND e.seller = f.seller
    AND e.ended_on >= f.closing - 365 AND e.ended_on < f.first_day
GROUP BY ALL;

--    Every part of its last day that was not refunded on that day and is within its limit fires.
CREATE TEMP TABLE split_payments AS
SELECT b.*, p.number, p.sure_pence
FROM best_splits AS b
JOIN parts AS p ON p.search = b.search AND p.holder = b.holder AND p.seller = b.seller
    AND p.day = b.closing
WHERE p.pence <= b.top AND (p.refunded_on IS NULL OR p.refunded_on > p.day);

-- 5. Repeats. A charge stands if it is not on a day loaded twice and was not refunded on its own
--    day. Compared with one of a later day it also has to be not refunded by then.
CREATE TEMP TABLE standing AS
SELECT number, day, holder, merchant, pence, refunded_on
FROM bought WHERE NOT doubled AND refunded_on IS DISTINCT FROM day;

CREATE TEMP TABLE repeats AS
WITH same_day AS (
    SELECT holder, merchant, pence, day, count(*) AS count FROM standing GROUP BY ALL
), equal AS (
    SELECT holder, merchant, pence, day, refunded_on, count(*) AS count FROM standing GROUP BY ALL
), days_before AS (
    SELECT s.holder, s.merchant, s.pence, s.day, sum(e.count) AS count
    FROM same_day AS s
    JOIN equal AS e ON e.holder = s.holder AND e.merchant = s.merchant AND e.pence = s.pence
        AND e.day BETWEEN s.day - 3 AND s.day - 1
    WHERE e.refunded_on IS NULL OR e.refunded_on > s.day
    GROUP BY ALL
), sixty_days AS (
    SELECT number,
           count(*) OVER (PARTITION BY merchant, pence ORDER BY day
                          RANGE BETWEEN 60 PRECEDING AND CURRENT ROW)
           - count(*) OVER (PARTITION BY merchant, pence, holder ORDER BY day
                            RANGE BETWEEN 60 PRECEDING AND CURRENT ROW) AS count
    FROM standing
), before AS (
    SELECT day, coalesce(sum(count(*)) OVER (ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING
                                             AND 1 PRECEDING), 0) AS count
    FROM bought GROUP BY day
)
SELECT s.number, s.pence, d.count AS same_day, coalesce(e.count, 0) AS days_before,
       o.count AS by_others, b.count AS purchases_before
FROM standing AS s
JOIN same_day AS d USING (holder, merchant, pence, day)
LEFT JOIN days_before AS e USING (holder, merchant, pence, day)
JOIN sixty_days AS o USING (number)
JOIN before AS b ON b.day = s.day;

-- 6. Spending of a cardholder in a calendar month, to the end of the day, less refunds.
CREATE TEMP TABLE month_spending AS
SELECT number, is_purchase, month_pence, month_stated,
       sum(pence) OVER (PARTITION BY holder, date_trunc('month', CAST('1970-01-01' AS DATE) + CAST(day AS INTEGER))
                        ORDER BY day RANGE UNBOUNDED PRECEDING) AS total
FROM ready WHERE is_purchase OR is_refund;

-- 7. What fires. `search` names the search whose windows a firing is about.
SELECT * FROM (
    SELECT '' AS search, 'over-single-limit' AS rule, number, 1 AS count, pence AS total,
           single_pence AS limit_pence, 0 AS span, 0 AS needed, 0 AS earlier, 0 AS merchants
    FROM bought WHERE single_pence > 0 AND pence > single_pence AND single_stated
    UNION ALL
    SELECT '', 'single-only-with-vat', number, 1, pence, single_pence, 0, 0, 0, 0
    FROM bought WHERE single_pence > 0 AND pence > single_pence AND pence <= single_sure_pence
    UNION ALL
    SELECT '', 'over-month-limit', number, 0, total, month_pence, 0, 0, 0, 0
    FROM month_spending
    WHERE is_purchase AND month_pence > 0 AND total > month_pence AND month_stated
    UNION ALL
    SELECT search, rule, number, count, total, top, span, needed, earlier, merchants
    FROM split_payments, figures, (VALUES
        ('limit', 'limit'), ('alias', 'alias'), ('category', 'category'), ('step', 'step'),
        ('limit', 'split-same-day'), ('limit', 'split-few-days'), ('limit', 'split-usual'),
        ('limit', 'split-habit'), ('limit', 'only-with-vat'), ('limit', 'many-parts'),
        ('alias', 'split-several-names'), ('alias', 'many-parts-several-names'),
        ('category', 'split-across-merchants'),
        ('step', 'step-split'), ('step', 'step-only-with-vat')
    ) AS r (of_search, rule)
    WHERE search = of_search AND CASE rule
        WHEN 'split-same-day' THEN span = 0 AND earlier <= habit_days
        WHEN 'split-few-days' THEN span >= 1 AND earlier <= habit_days
        WHEN 'split-usual' THEN earlier <= habit_days
        WHEN 'split-habit' THEN earlier > habit_days
        WHEN 'split-several-names' THEN earlier <= habit_days
        WHEN 'split-across-merchants' THEN needed <= 3
        WHEN 'step-split' THEN earlier <= habit_days
        WHEN 'only-with-vat' THEN total <= sure_pence
        WHEN 'step-only-with-vat' THEN total <= sure_pence
        WHEN 'many-parts' THEN needed > 3
        WHEN 'many-parts-several-names' THEN needed > 3
        ELSE true END
    UNION ALL
    SELECT '', 'exact-duplicate', number, same_day, pence, 0, 0, 0, 0, 0
    FROM repeats, figures WHERE same_day >= 2 AND pence >= materiality_pence
    UNION ALL
    SELECT '', 'near-duplicate', number, days_before, pence, 0, 0, 0, 0, 0
    FROM repeats, figures WHERE days_before >= 1 AND pence >= materiality_pence
    UNION ALL
    SELECT '', 'same-bill-two-holders', number, by_others, pence, 0, 0, 0, 0, 0
    FROM repeats, figures
    WHERE by_others >= 1 AND pence >= materiality_pence AND purchases_before >= 1000
)
ORDER BY search, rule, number, span, total;
