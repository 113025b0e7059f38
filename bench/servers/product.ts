import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GetProductResponseSchema } from '../../gen/test/catalog/v1/catalog_pb.js';

/** The answer of every compared server; test/peers/backend returns the same. */
export function product(id: string): MessageInitShape<typeof GetProductResponseSchema> {
  return {
    product: {
      id,
      name: 'Desk lamp',
      description: 'A lamp with an arm, for desks up to 80 cm deep',
      price: { currencyCode: 'EUR', minorUnits: 4990n },
      attributes: { colour: 'black', socket: 'E27', width: '22 cm' },
      updateTime: { seconds: 1_772_357_400n, nanos: 0 },
    },
  };
}
