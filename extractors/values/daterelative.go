package values

// relative are the words of a language that count from now. Phrases are separated by
// commas, words of one kind by spaces.
type relative struct {
	// days are phrases for today, yesterday, the day before and tomorrow, with |
	// between.
	days string
	// units are words for seconds, minutes, hours, days, weeks, months and years,
	// with | between.
	units string
	// one are words for one: an hour ago. alone are units that mean one, or the
	// number behind a colon, without a number: час назад.
	one, alone string
	// before and after are phrases before and after number and unit: "vor", "ago".
	// lead are those that may stand before them and need one after: "för ... sedan".
	before, after, lead string
	// past are units that mean ago by themselves: 2 órája.
	past string
	// now are phrases for this moment.
	now string
}

// relativeWords are the relative words, by language.
var relativeWords = map[string]relative{
	"en": {
		days:  "today|yesterday|day before yesterday, the day before yesterday|tomorrow",
		units: "second seconds sec secs s|minute minutes min mins m|hour hours hr hrs h|day days d|week weeks wk wks w|month months mo mos|year years yr yrs y",
		one:   "a an one", after: "ago", now: "now, just now, right now",
	},
	"de": {
		days:  "heute|gestern|vorgestern|morgen",
		units: "sekunde sekunden sek|minute minuten min|stunde stunden std|tag tage tagen|woche wochen|monat monate monaten|jahr jahre jahren",
		one:   "ein eine einem einer", before: "vor", now: "jetzt, gerade eben, soeben, gerade",
	},
	"fr": {
		days:  "aujourd'hui|hier|avant-hier|demain",
		units: "seconde secondes sec s|minute minutes min mn|heure heures h|jour jours j|semaine semaines sem|mois|an ans année années",
		one:   "un une", before: "il y a", now: "maintenant, à l'instant",
	},
	"es": {
		days:  "hoy|ayer|anteayer, antes de ayer|mañana",
		units: "segundo segundos seg s|minuto minutos min|hora horas h|día días d|semana semanas sem|mes meses|año años",
		one:   "un una", before: "hace", after: "atrás", now: "ahora, ahora mismo",
	},
	"it": {
		days:  "oggi|ieri|l'altro ieri, altro ieri, l'altroieri|domani",
		units: "secondo secondi sec|minuto minuti min|ora ore h|giorno giorni gg|settimana settimane|mese mesi|anno anni",
		one:   "un uno una", after: "fa", now: "ora, adesso, proprio ora",
	},
	"pt": {
		days:  "hoje|ontem|anteontem|amanhã",
		units: "segundo segundos seg|minuto minutos min|hora horas h|dia dias|semana semanas sem|mês meses|ano anos",
		one:   "um uma", before: "há, faz", after: "atrás", lead: "há", now: "agora, agora mesmo",
	},
	"nl": {
		days:  "vandaag|gisteren|eergisteren|morgen",
		units: "seconde seconden sec|minuut minuten min|uur uren|dag dagen|week weken|maand maanden mnd|jaar jaren",
		one:   "een één", after: "geleden", now: "nu, zojuist, zonet",
	},
	"sv": {
		days:  "idag, i dag|igår, i går|i förrgår, förrgår|imorgon, i morgon",
		units: "sekund sekunder sek|minut minuter min|timme timmar tim|dag dagar dygn|vecka veckor|månad månader mån|år",
		one:   "en ett", after: "sedan, sen", lead: "för", now: "nu, just nu, nyss",
	},
	"da": {
		days:  "i dag, idag|i går, igår|i forgårs, forgårs|i morgen, imorgen",
		units: "sekund sekunder sek|minut minutter min|time timer|dag dage døgn|uge uger|måned måneder|år",
		one:   "en et", after: "siden", lead: "for", now: "nu, lige nu",
	},
	"nb": {
		days:  "i dag, idag|i går, igår|i forgårs, forgårs|i morgen, imorgen",
		units: "sekund sekunder sek|minutt minutter min|time timer|dag dager døgn|uke uker veke veker|måned måneder månad månader|år",
		one:   "en ett ei én et", after: "siden, sidan", lead: "for", now: "nå, akkurat nå, no",
	},
	"fi": {
		days:  "tänään|eilen|toissapäivänä|huomenna",
		units: "sekunti sekuntia sek|minuutti minuuttia min|tunti tuntia t|päivä päivää pv|viikko viikkoa vk|kuukausi kuukautta kk|vuosi vuotta v",
		one:   "yksi", alone: "sekunti:1 minuutti:1 tunti:1 päivä:1 viikko:1 kuukausi:1 vuosi:1", after: "sitten", now: "nyt, juuri nyt",
	},
	"pl": {
		days:  "dzisiaj, dziś|wczoraj|przedwczoraj|jutro",
		units: "sekunda sekundę sekundy sekund sek|minuta minutę minuty minut min|godzina godzinę godziny godzin godz|dzień dni|tydzień tygodnie tygodni tyg|miesiąc miesiące miesięcy mies|rok lata lat",
		one:   "jeden jedną", alone: "sekundę:1 minutę:1 godzinę:1 dzień:1 tydzień:1 miesiąc:1 rok:1", after: "temu", now: "teraz, przed chwilą",
	},
	"cs": {
		days:  "dnes|včera|předevčírem|zítra",
		units: "sekunda sekundou sekundami sekundy|minuta minutou minutami minuty min|hodina hodinou hodinami hodiny hod|den dnem dny dnů|týden týdnem týdny|měsíc měsícem měsíci|rok rokem roky lety let",
		one:   "jednou jedním", alone: "sekundou:1 minutou:1 hodinou:1 dnem:1 týdnem:1 měsícem:1 rokem:1", before: "před", now: "nyní, teď, právě teď, právě",
	},
	"sk": {
		days:  "dnes|včera|predvčerom|zajtra",
		units: "sekunda sekundou sekundami|minúta minútou minútami min|hodina hodinou hodinami hod|deň dňom dňami|týždeň týždňom týždňami|mesiac mesiacom mesiacmi|rok rokom rokmi",
		one:   "jednou jedným", alone: "sekundou:1 minútou:1 hodinou:1 dňom:1 týždňom:1 mesiacom:1 rokom:1", before: "pred", now: "teraz, práve teraz",
	},
	"hr": {
		days:  "danas|jučer|prekjučer|sutra",
		units: "sekunda sekundu sekunde sekundi|minuta minutu minute min|sat sata sati h|dan dana|tjedan tjedna tjedana|mjesec mjeseca mjeseci|godina godinu godine",
		one:   "jedan jednu", before: "prije", now: "sada, upravo sada",
	},
	"hu": {
		days:  "ma|tegnap|tegnapelőtt|holnap",
		units: "másodperce másodperccel másodperc|perce perccel perc|órája órával óra|napja nappal nap|hete héttel hét|hónapja hónappal hónap|éve évvel év",
		one:   "egy", after: "ezelőtt", past: "másodperce perce órája napja hete hónapja éve", now: "most, éppen most",
	},
	"ro": {
		days:  "astăzi, azi|ieri|alaltăieri|mâine",
		units: "secundă secunde sec|minut minute min|oră ore|zi zile|săptămână săptămâni|lună luni|an ani",
		one:   "un o", before: "acum, în urmă cu", after: "în urmă", now: "acum, chiar acum",
	},
	"ru": {
		days:  "сегодня|вчера|позавчера|завтра",
		units: "секунда секунду секунды секунд сек|минута минуту минуты минут мин|час часа часов ч|день дня дней дн|неделя неделю недели недель нед|месяц месяца месяцев мес|год года лет",
		one:   "один одну", alone: "секунду:1 минуту:1 час:1 день:1 неделю:1 месяц:1 год:1", after: "назад", now: "сейчас, только что",
	},
	"uk": {
		days:  "сьогодні|вчора, учора|позавчора|завтра",
		units: "секунда секунду секунди секунд сек|хвилина хвилину хвилини хвилин хв|година годину години годин год|день дні днів дн|тиждень тижні тижнів|місяць місяці місяців міс|рік роки років",
		one:   "один одну", alone: "секунду:1 хвилину:1 годину:1 день:1 тиждень:1 місяць:1 рік:1", after: "тому, тому назад", now: "зараз, щойно",
	},
	"bg": {
		days:  "днес|вчера|завчера, онзи ден|утре",
		units: "секунда секунди сек|минута минути мин|час часа ч|ден дни|седмица седмици|месец месеца|година години",
		one:   "един една", before: "преди", now: "сега, току-що",
	},
	"el": {
		days:  "σήμερα|χθες, χτες|προχθές, προχτές|αύριο",
		units: "δευτερόλεπτο δευτερόλεπτα δευτ|λεπτό λεπτά λ|ώρα ώρες ω|ημέρα ημέρες μέρα μέρες|εβδομάδα εβδομάδες|μήνας μήνα μήνες|χρόνος χρόνο χρόνια έτος έτη",
		one:   "ένα έναν μία μια", before: "πριν, πριν από", after: "πριν", now: "τώρα, μόλις τώρα",
	},
	"tr": {
		days:  "bugün|dün|evvelsi gün, önceki gün|yarın",
		units: "saniye sn|dakika dk|saat sa|gün|hafta|ay|yıl sene",
		one:   "bir", after: "önce", now: "şimdi, az önce, şu anda",
	},
	"id": {
		days:  "hari ini|kemarin|kemarin dulu, kemarin lusa|besok",
		units: "detik|menit|jam|hari|minggu|bulan|tahun",
		one:   "satu", alone: "semenit:1m sejam:1h sehari:1d seminggu:1w sebulan:1o setahun:1y", after: "yang lalu, lalu", now: "sekarang, baru saja",
	},
	"vi": {
		days:  "hôm nay|hôm qua|hôm kia|ngày mai",
		units: "giây|phút|giờ tiếng|ngày|tuần|tháng|năm",
		one:   "một", before: "cách đây", after: "trước", now: "bây giờ, vừa xong",
	},
	"ar": {
		days:   "اليوم|أمس, البارحة|أول أمس, قبل أمس|غدا",
		units:  "ثانية ثواني ثوان|دقيقة دقائق|ساعة ساعات|يوم أيام يوما|أسبوع أسابيع أسبوعا|شهر أشهر شهور شهرا|سنة سنوات عام أعوام عاما",
		one:    "واحد واحدة",
		alone:  "ثانية:1 دقيقة:1 ساعة:1 يوم:1 أسبوع:1 شهر:1 سنة:1 عام:1 ثانيتين:2s دقيقتين:2m ساعتين:2h يومين:2d أسبوعين:2w شهرين:2o سنتين:2y عامين:2y",
		before: "منذ, قبل", now: "الآن",
	},
	"ja": {
		days:  "今日, 本日|昨日|一昨日, おととい|明日",
		units: "秒|分 分間|時間|日 日間|週間 週|か月 ヶ月 ヵ月 カ月 ケ月 箇月 か月間 ヶ月間|年 年間",
		after: "前", now: "たった今, 今",
	},
	"zh": {
		days:  "今天, 今日|昨天, 昨日|前天|明天, 明日",
		units: "秒 秒钟 秒鐘|分钟 分鐘 分|小时 小時 个小时 個小時 个钟头|天 日|周 週 星期 个星期 個星期 个礼拜|个月 個月|年",
		one:   "一", after: "前, 之前, 以前", now: "刚刚, 剛剛, 刚才, 剛才, 现在, 現在",
	},
	"ko": {
		days:  "오늘|어제|그저께, 그제|내일",
		units: "초|분|시간|일|주 주일|개월 달|년",
		one:   "한", after: "전", now: "지금, 방금, 방금 전",
	},
}
