import type { Context, GlobalOptions } from '../../context.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { writeDocument } from '../../render/document.ts';
import { renderTable } from '../../render/table.ts';
import { formatMoney, formatTime } from '../../render/values.ts';
import { loadSettings } from '../../settings.ts';
import { listFestivals } from './sale-api.ts';

export async function runSaleList(context: Context, options: GlobalOptions): Promise<ExitCode> {
  const settings = await loadSettings(context, options);
  const festivals = await listFestivals(settings.url.value);
  const sales = festivals.flatMap(({ title, sales: ofFestival }) =>
    ofFestival.map((sale) => ({ ...sale, festivalTitle: title })),
  );
  if (options.json === true) {
    writeDocument(context.stdout, 'fest.sale-list/1', { items: sales });
    return EXIT.done;
  }
  if (sales.length === 0) {
    context.stderr.write('There are no sales yet. `fest seed <file>` makes some from a YAML file.\n');
    return EXIT.done;
  }
  const { isTTY } = context.stdout;
  const time = (iso: string) => formatTime(iso, context.now(), isTTY);
  const rows = sales.map((sale) => [
    String(sale.id),
    sale.festivalTitle,
    sale.name,
    sale.phase,
    formatMoney(sale.price, sale.currency),
    String(sale.capacity),
    String(sale.stock.available),
    String(sale.stock.held),
    String(sale.stock.sold),
    time(sale.opensAt),
    time(sale.closesAt),
  ]);
  const right = { align: 'right' } as const;
  const columns = [
    { title: 'id', ...right },
    { title: 'festival' },
    { title: 'sale' },
    { title: 'phase' },
    { title: 'price', ...right },
    { title: 'capacity', ...right },
    { title: 'available', ...right },
    { title: 'held', ...right },
    { title: 'sold', ...right },
    { title: 'opens' },
    { title: 'closes' },
  ];
  context.stdout.write(renderTable(columns, rows, context.colour.stdout));
  return EXIT.done;
}
