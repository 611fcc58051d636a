import { NdArray } from "@npystream/codec";
import type { StageFunction } from "@npystream/pipeline-discovery";
import { CLASSES, type incomingSets, resultNames } from "./convention.ts";

/** The mean of the features of each class, float64 [4, 8]: a stage that runs here or on any machine. */
export const classMeans: StageFunction<{ key: string; role: string }, typeof incomingSets> = async (
  set,
  { commit, signal },
) => {
  await using features = await set.arrays.features.open();
  await using labels = await set.arrays.labels.open();
  const classes = await labels.read({ signal });
  const columns = features.shape[1] ?? 0;
  const sums = new Float64Array(CLASSES * columns);
  const counts = new Float64Array(CLASSES);
  for await (const chunk of features.stream({ signal })) {
    const { data } = chunk.contiguous();
    for (const [at, value] of data.entries()) {
      const [row, column] = [chunk.rowStart + Math.floor(at / columns), at % columns];
      const label = Number(classes.data[row]);
      sums[label * columns + column] = (sums[label * columns + column] ?? 0) + value;
      counts[label] = (counts[label] ?? 0) + (column === 0 ? 1 : 0);
    }
  }
  const data = sums.map((sum, at) => sum / Math.max(1, counts[Math.floor(at / columns)] ?? 0));
  await commit(
    resultNames,
    { key: set.fields.key },
    new NdArray({ dtype: "float64", shape: [CLASSES, columns], data }),
  );
};
