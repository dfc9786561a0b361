# Berkeley DB 5.3 has no .pc file. Defines BerkeleyDB::BerkeleyDB.
find_path(BerkeleyDB_INCLUDE_DIR db.h)
find_library(BerkeleyDB_LIBRARY NAMES db-5.3 db)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(BerkeleyDB REQUIRED_VARS BerkeleyDB_LIBRARY BerkeleyDB_INCLUDE_DIR)
if(BerkeleyDB_FOUND AND NOT TARGET BerkeleyDB::BerkeleyDB)
  add_library(BerkeleyDB::BerkeleyDB UNKNOWN IMPORTED)
  set_target_properties(BerkeleyDB::BerkeleyDB PROPERTIES
    IMPORTED_LOCATION ${BerkeleyDB_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${BerkeleyDB_INCLUDE_DIR})
endif()
