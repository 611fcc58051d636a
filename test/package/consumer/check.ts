// Type-checked against the packed packages under each TypeScript version; a wrong type or an `any` is an error here.
import { type DType, encodeNpy, isNpyError, NdArray, type NpyHeader, parseNpyHeader } from "@npystream/codec";
import { discover, nameTemplate, runStage } from "@npystream/pipeline-discovery";
import { openDataset, openNpy, openNpz } from "@npystream/reader-stream";
import { createNpyWriteStream, writeNpy, writeNpz } from "@npystream/writer-stream";

const array = NdArray.zeros("float32", [2, 3]);
export const data: Float32Array = array.data;
// @ts-expect-error the data of a float32 array is no BigInt64Array
export const wrongData: BigInt64Array = array.data;
// @ts-expect-error a dtype is one of the literals
export const wrongType: DType = "float33";
export const header: NpyHeader = parseNpyHeader(encodeNpy(array));

export async function check(path: string): Promise<number> {
  const written: { readonly shape: readonly number[] } = await writeNpy(path, array);
  await writeNpz(`${path}.npz`, { array });
  // @ts-expect-error an array is not a path
  await openNpy(array);
  const file = await openNpy(path);
  const rows: readonly number[] = (await file.rows(0, 1)).shape;
  await file.close();
  const archive = await openNpz(`${path}.npz`);
  const names: readonly string[] = archive.names;
  await archive.close();
  const dataset = await openDataset({ array: path });
  const length: number = dataset.length;
  await dataset.close();
  return written.shape.length + rows.length + names.length + length;
}

export const stages = [createNpyWriteStream, discover, nameTemplate, runStage] as const;
// @ts-expect-error a template is text
nameTemplate(1);

export function codeOf(error: unknown): `ERR_${string}` | undefined {
  return isNpyError(error) ? error.code : undefined;
}
