#include "terminology/systems.h"

#include "terminology/shape.h"

#include <pthread.h>
#include <string.h>

const struct system_row systems_rows[] = {
    {"http://loinc.org",
     "LN",
     {"LOINC", "urn:oid:2.16.840.1.113883.6.1", "2.16.840.1.113883.6.1"},
     shape_is_loinc,
     "digits, a hyphen and the check digit"},
    {"http://snomed.info/sct",
     "SCT",
     {"SNOMEDCT", "SNOMED", "urn:oid:2.16.840.1.113883.6.96", "2.16.840.1.113883.6.96"},
     shape_is_sctid_concept,
     "6 to 18 digits ending in 00 or 10 and the check digit"},
    {"http://hl7.org/fhir/sid/icd-10-cm",
     "I10C",
     {"ICD10CM", "ICD-10-CM", "urn:oid:2.16.840.1.113883.6.90", "2.16.840.1.113883.6.90"},
     shape_is_icd10cm,
     "a letter, a digit and up to five more, a point after the third"},
    {"http://www.cms.gov/Medicare/Coding/ICD10",
     "I10P",
     {"ICD10PCS", "ICD-10-PCS", "urn:oid:2.16.840.1.113883.6.4", "2.16.840.1.113883.6.4"},
     shape_is_icd10pcs,
     "seven letters and digits without I and O"},
    {"http://hl7.org/fhir/sid/icd-10", "I10", {"ICD10", "ICD-10", "urn:oid:2.16.840.1.113883.6.3"}, NULL, NULL},
    {"http://hl7.org/fhir/sid/icd-9-cm",
     "I9C",
     {"ICD9CM", "ICD-9-CM", "I9CDX", "urn:oid:2.16.840.1.113883.6.103"},
     NULL,
     NULL},
    {"http://www.nlm.nih.gov/research/umls/rxnorm",
     "RXNORM",
     {"RXN", "urn:oid:2.16.840.1.113883.6.88", "2.16.840.1.113883.6.88"},
     shape_is_rxcui,
     "digits only"},
    {"http://unitsofmeasure.org", "UCUM", {"urn:oid:2.16.840.1.113883.6.8", "2.16.840.1.113883.6.8"}, NULL, NULL},
    {"http://hl7.org/fhir/sid/cvx",
     "CVX",
     {"urn:oid:2.16.840.1.113883.12.292", "2.16.840.1.113883.12.292"},
     NULL,
     NULL},
    {"http://hl7.org/fhir/sid/mvx", "MVX", {"urn:oid:2.16.840.1.113883.12.227"}, NULL, NULL},
    {"http://hl7.org/fhir/sid/ndc", "NDC", {"urn:oid:2.16.840.1.113883.6.69", "2.16.840.1.113883.6.69"}, NULL, NULL},
    {"http://www.ama-assn.org/go/cpt", "C4", {"CPT", "CPT4", "urn:oid:2.16.840.1.113883.6.12"}, NULL, NULL},
    {"https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
     "HCPCS",
     {"HPC", "urn:oid:2.16.840.1.113883.6.285"},
     NULL,
     NULL},
    {"urn:oid:2.16.840.1.113883.6.238", "CDCREC", {"2.16.840.1.113883.6.238"}, NULL, NULL},
    {"http://www.whocc.no/atc", "ATC", {"WC", "urn:oid:2.16.840.1.113883.6.73"}, NULL, NULL},
};
const size_t systems_count = sizeof systems_rows / sizeof systems_rows[0];

/* Every name there is, by its length and then in the order of the rows: a sender's own name for a system, of which most
 * codes are, is compared with few of them or none. */
enum {
    ROW_NAME_COUNT = 2 + SYSTEM_ALIASES,
    NAME_COUNT = sizeof systems_rows / sizeof systems_rows[0] * ROW_NAME_COUNT
};
enum { LONGEST_NAME = 63 };

static struct {
    const char *text[NAME_COUNT];
    const struct system_row *row[NAME_COUNT];
    uint16_t first[LONGEST_NAME + 2]; /* of this length; those of the next begin where they end */
} names;
static pthread_once_t names_once = PTHREAD_ONCE_INIT;

static const char *name_of(const struct system_row *row, size_t i)
{
    return i == 0 ? row->uri : i == 1 ? row->v2_name : row->aliases[i - 2];
}

static void order_names(void)
{
    uint16_t count = 0;
    for (size_t len = 0; len <= LONGEST_NAME; len++) {
        names.first[len] = count;
        for (size_t i = 0; i < systems_count * ROW_NAME_COUNT; i++) {
            const struct system_row *row = &systems_rows[i / ROW_NAME_COUNT];
            const char *text = name_of(row, i % ROW_NAME_COUNT);
            if (text == NULL || strlen(text) != len)
                continue;
            names.text[count] = text;
            names.row[count++] = row;
        }
    }
    names.first[LONGEST_NAME + 1] = count;
}

const struct system_row *systems_find(struct str name)
{
    pthread_once(&names_once, order_names);
    if (name.len > LONGEST_NAME)
        return NULL;
    for (size_t i = names.first[name.len]; i < names.first[name.len + 1]; i++)
        if (str_is_nocase(name, names.text[i]))
            return names.row[i];
    return NULL;
}
