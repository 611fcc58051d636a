// Signatures, sizes and flags of APPNOTE 6.3.10, for what reads archives and what writes them.

/** Signature and bytes of a local header without its name and extra field (section 4.3.7). */
export const LOCAL_SIGNATURE = 0x04034b50;
export const LOCAL_BYTES = 30;
/** Signature of a data descriptor, which may be missing, and its bytes with it and sizes of 8 bytes (section 4.3.9). */
export const DESCRIPTOR_SIGNATURE = 0x08074b50;
export const DESCRIPTOR_BYTES = 24;
/** Signature and bytes of an entry of the central directory without name, extra field and comment (section 4.3.12). */
export const CENTRAL_SIGNATURE = 0x02014b50;
export const CENTRAL_BYTES = 46;
/** Signature and bytes of the ZIP64 end record (section 4.3.14). */
export const ZIP64_END_SIGNATURE = 0x06064b50;
export const ZIP64_END_BYTES = 56;
/** Signature and bytes of its locator (section 4.3.15). */
export const ZIP64_LOCATOR_SIGNATURE = 0x07064b50;
export const ZIP64_LOCATOR_BYTES = 20;
/** Signature and bytes of the end record without its comment (section 4.3.16). */
export const END_SIGNATURE = 0x06054b50;
export const END_BYTES = 22;

/** Flags (section 4.4.4): encrypted; checksum and sizes in a data descriptor; name in UTF-8. */
export const ENCRYPTED_FLAG = 1;
export const DESCRIPTOR_FLAG = 8;
export const UTF8_FLAG = 0x800;

/** Id of the extra field with what does not fit 32 bits (section 4.5.3). */
export const ZIP64_ID = 1;
/** Largest numbers of fields of 2 and of 4 bytes; in a field of its own ZIP64 has what is larger. */
export const MAX_16 = 0xffff;
export const MAX_32 = 0xffffffff;
