"""Splink on the people of `idem gen people`, for tests/bench/identity_sizes.py: splink_people.py FOLDER, JSON on stdout.

Nothing is tuned by the truth. Names, birth date, sex, phone, national number, address and postcode, with term frequencies; six
blocking rules; chance agreement from random pairs, the rest by expectation maximisation on two blocks. Words are lower case
without accents, phones their last nine digits: what a careful user would do. Pairs are counted in its clusters, as idem's are.
"""
import json
import logging
import sys
import time

from splink import DuckDBAPI, Linker, SettingsCreator, block_on
import splink.comparison_library as compare

WORDS = ("family", "given", "middle", "address", "city")
SOURCES = ("north", "lake", "lab", "insurer")
CUTS = (0.99, 0.5)

COMPARISONS = [
    compare.NameComparison("given").configure(term_frequency_adjustments=True),
    compare.NameComparison("family").configure(term_frequency_adjustments=True),
    compare.DateOfBirthComparison("birth_date", input_is_string=True),
    compare.ExactMatch("sex"),
    compare.LevenshteinAtThresholds("phone", [1]).configure(term_frequency_adjustments=True),
    compare.LevenshteinAtThresholds("national_id", [1]).configure(term_frequency_adjustments=True),
    compare.JaroWinklerAtThresholds("address", [0.9]).configure(term_frequency_adjustments=True),
    compare.ExactMatch("postcode").configure(term_frequency_adjustments=True),
]
BLOCKS = [
    block_on("family", "given"),
    block_on("birth_date", "substr(family, 1, 3)"),
    block_on("birth_date", "substr(given, 1, 3)"),
    block_on("phone"),
    block_on("national_id"),
    block_on("postcode", "substr(family, 1, 4)", "substr(given, 1, 3)"),
]


def read_people(database, folder):
    connection = database.duckdb_con
    files = ", ".join(f"'{folder}/{source}.csv'" for source in SOURCES)
    words = ", ".join(f"nullif(lower(strip_accents({word})), '') AS {word}" for word in WORDS)
    connection.execute(f"""
        CREATE TABLE people AS SELECT authority || ':' || id AS unique_id, {words}, nullif(birth_date, '') AS birth_date,
            nullif(sex, '') AS sex, nullif(right(regexp_replace(phone, '[^0-9]', '', 'g'), 9), '') AS phone,
            nullif(postcode, '') AS postcode, nullif(national_id, '') AS national_id
        FROM read_csv([{files}], all_varchar = true, header = true)""")
    connection.execute(f"""
        CREATE TABLE truth AS SELECT authority || ':' || id AS unique_id, person
        FROM read_csv('{folder}/truth.csv', all_varchar = true, header = true)""")
    return database.register("people")


def pairs_in(connection, groups):
    return connection.execute(f"SELECT coalesce(sum(n * (n - 1) // 2), 0)::BIGINT FROM (SELECT count(*) AS n FROM {groups})").fetchall()[0][0]


def count_pairs(connection, clusters):
    connection.execute(f"""CREATE OR REPLACE TEMP TABLE judged AS
        SELECT c.cluster_id, t.person FROM {clusters} c JOIN truth t USING (unique_id)""")
    found = pairs_in(connection, "judged GROUP BY cluster_id")
    right = pairs_in(connection, "judged GROUP BY cluster_id, person")
    return found, right, pairs_in(connection, "judged GROUP BY person")


def peak_bytes():
    with open("/proc/self/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


def main():
    logging.disable(logging.WARNING)
    began = time.monotonic()
    database = DuckDBAPI()
    linker = Linker(read_people(database, sys.argv[1]), SettingsCreator(
        link_type="dedupe_only", comparisons=COMPARISONS, blocking_rules_to_generate_predictions=BLOCKS, retain_matching_columns=False))
    training = linker.training
    training.estimate_probability_two_random_records_match(
        [block_on("family", "given", "birth_date"), block_on("national_id")], recall=0.7)
    training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    for block in (block_on("birth_date"), block_on("family", "given")):
        training.estimate_parameters_using_expectation_maximisation(block, record_sample_proportion=1.0)
    pairs = linker.inference.predict(threshold_match_probability=min(CUTS))
    predicted, lines = time.monotonic() - began, []
    connection = database.duckdb_con
    records = connection.execute("SELECT count(*) FROM people").fetchall()[0][0]
    for cut in CUTS:
        from_s = time.monotonic()
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_probability=cut)
        seconds = predicted + time.monotonic() - from_s
        found, right, true = count_pairs(connection, clusters.physical_name)
        lines.append({"who": f"Splink, {cut}", "precision": right / max(found, 1), "recall": right / true, "f1": 2 * right / (found + true),
                      "wrong": found - right, "per_second": records / seconds, "seconds": seconds, "bytes": peak_bytes()})
    json.dump(lines, sys.stdout)


main()
