#include "terminology/systems.h"

#include "terminology/shape.h"

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

const struct system_row *systems_find(struct str name)
{
    for (size_t i = 0; i < systems_count; i++) {
        const struct system_row *row = &systems_rows[i];
        if (str_is_nocase(name, row->uri) || str_is_nocase(name, row->v2_name))
            return row;
        for (size_t a = 0; a < sizeof row->aliases / sizeof row->aliases[0] && row->aliases[a]; a++)
            if (str_is_nocase(name, row->aliases[a]))
                return row;
    }
    return NULL;
}
