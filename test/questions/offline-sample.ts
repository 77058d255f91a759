// A small made-up report: six chunks with running heads, a contents page, a table, signatures and broken words.
export const bakeryReport = [
  {
    id: 'contents',
    text: `Harrow Annual Report 2023
TABLE OF CONTENTS
Item 1. Business .................................... 3
Item 1A. Risk Factors ............................... 9
Item 7. Management's Discussion ..................... 21
Page 2`,
  },
  {
    id: 'ovens',
    text: `Harrow Annual Report 2023
Stone Ovens
We bake sourdough in twelve stone ovens that burn olive pits from Puglia. The stone ovens reach 290 degrees within forty
minutes by burning compressed olive pits instead of natural gas. Our bakers check the tempera-
ture of the ovens every hour. A cracked hearth could interrupt production at the Bristol bakery for several weeks. We
patented the rotating hearth in March 2019. In the coldest months, theovens lose a tenth of their heat through the chimney.
The ovens14 were inspected in May.
Page 3`,
  },
  {
    id: 'revenue',
    text: `Harrow Annual Report 2023
Revenue from wholesale bread increased by $4.2 million, or 18%, due to new contracts with two railway caterers. We
recognise subscription income when the weekly box is handed to the courier. Refunds to subscribers were immaterial.
Gross margin fell by three points because rye prices doubled. The following rows are in thousands.
Wholesale bread sales 27,540 23,338 18,020
Subscription box income 9,112 8,004 7,450
Farm shop takings 1,020 998 870
Page 4`,
  },
  {
    id: 'flour',
    text: `Harrow Annual Report 2023
Risks of Flour Supply
A poor harvest in Lincolnshire could raise the price of heritage wheat and delay our deliveries. We depend on a single mill
for spelt flour, and its millingcosts follow the price of electricity. If the mill fails an audit, we may have to
import spelt flour from Denmark. Storms may damage the grain silos at Boston harbour. Our buyers hedge wheat prices through
futures contracts with terms of nine months.
Page 5`,
  },
  {
    id: 'leases',
    text: `Harrow Annual Report 2023
Leases of Shops
"Renewal window" means the ninety days before a shop lease ends. The Company leases nineteen shops from railway landlords
under contracts of ten years. Rent is payable each quarter in advance. The landlord may end a shop lease if the Company
closes the shop for more than thirty days. Lease liabilities are discounted using the borrowing rate of the Company.
Page 6`,
  },
  {
    id: 'signatures',
    text: `Harrow Annual Report 2023
SIGNATURES
In witness whereof, the registrant has duly caused this report to be signed on its behalf by the undersigned.
/s/ Maud Ellery
Exhibit 4.1 is incorporated by reference to the exhibit list of Form S-1.
Page 7`,
  },
];
